// host.tensor: see stdlib/qspec/meta/tensor.lua for what scripts see.

#include <c10/core/InferenceMode.h>

#include <vector>

#include "bindings/boundary.h"
#include "bindings/torch/tensor_handle.h"
#include "bindings/torch/tensor_methods.h"
#include "engine/tensor/gpu_kernels.h"

namespace qspec::lua {
namespace {

std::vector<luaL_Reg> joined(std::initializer_list<const luaL_Reg*> lists) {
  std::vector<luaL_Reg> all;
  for (const luaL_Reg* list : lists) {
    for (; list->name != nullptr; ++list) all.push_back(*list);
  }
  all.push_back({nullptr, nullptr});
  return all;
}

// Nothing here is ever differentiated. The guard belongs to the thread of the Lua state and stays
// for as long as it runs.
void enter_inference_mode() {
  static const auto* guard = new c10::InferenceMode;
  (void)guard;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int luaopen_host_tensor(lua_State* L) {
  enter_inference_mode();
  find_gpu_kernels();
  const std::vector<luaL_Reg> methods =
      joined({kTensorValues, kTensorArithmetic, kTensorShapes, kTensorReductions});
  const std::vector<luaL_Reg> metamethods =
      joined({kTensorArithmeticMetamethods, kTensorValueMetamethods});
  register_type(L, TensorHandle::kLuaName, methods.data(), metamethods.data(),
                release_handle<TensorHandle>);
  register_packed(L);
  const std::vector<luaL_Reg> functions =
      joined({kTensorMakers, kTensorQuantizers, kTensorRepackers, kPackedMakers, kCodedMakers,
              kGgmlMakers, kVectorMakers});
  push_functions(L, "tensor", functions.data());
  return 1;
}

}  // namespace qspec::lua
