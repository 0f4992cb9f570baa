// host.cuda: what LibTorch says of the GPUs. The loader has mapped its CUDA side before, and
// libqspec_cuda.so where there is one.

#include <ATen/Context.h>

#include "bindings/boundary.h"
#include "bindings/torch/torch_boundary.h"
#include "engine/tensor/gpu_kernels.h"

namespace qspec::lua {
namespace {

int open_cuda(lua_State* L) {
  if (!at::hasCUDA()) {
    throw Error(ErrorKind::kDevice, "the NVIDIA driver shows no GPU")
        .hint("nvidia-smi says whether it can be used; --device cpu runs everything");
  }
  find_gpu_kernels();
  lua_createtable(L, 0, 2);
  lua_pushboolean(L, gpu_kernels() != nullptr);
  lua_setfield(L, -2, "kernels");
  lua_pushinteger(L, at::getNumGPUs());
  lua_setfield(L, -2, "devices");
  return 1;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int luaopen_host_cuda(lua_State* L) {
  return torch_guard<open_cuda>(L);
}

}  // namespace qspec::lua
