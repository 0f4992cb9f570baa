// host.cuda: what LibTorch says of the GPUs. The loader has mapped its CUDA side before.

#include <ATen/Context.h>

#include "bindings/boundary.h"
#include "bindings/torch/torch_boundary.h"

namespace qspec::lua {
namespace {

int open_cuda(lua_State* L) {
  if (!at::hasCUDA()) {
    throw Error(ErrorKind::kDevice, "the NVIDIA driver shows no GPU")
        .hint("nvidia-smi says whether it can be used; --device cpu runs everything");
  }
  lua_createtable(L, 0, 1);
  lua_pushinteger(L, at::getNumGPUs());
  lua_setfield(L, -2, "devices");
  return 1;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int luaopen_host_cuda(lua_State* L) {
  return torch_guard<open_cuda>(L);
}

}  // namespace qspec::lua
