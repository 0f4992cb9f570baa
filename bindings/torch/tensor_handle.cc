#include "bindings/torch/tensor_handle.h"

#include "bindings/boundary.h"

namespace qspec::lua {

TensorHandle::TensorHandle(at::Tensor value)
    : tensor(std::move(value)),
      held(tensor.storage().unsafeGetStorageImpl(),
           static_cast<int64_t>(tensor.storage().nbytes())) {}

void push_tensor(lua_State* L, at::Tensor tensor) {
  collect_over_budget(L);
  push_handle(L, TensorHandle(std::move(tensor)));
}

const at::Tensor& check_tensor(lua_State* L, int index) {
  return on_host(check_handle<TensorHandle>(L, index));
}

const at::Tensor& check_tensor_anywhere(lua_State* L, int index) {
  return check_handle<TensorHandle>(L, index).tensor;
}

const at::Tensor& on_host(TensorHandle& handle) {
  if (!handle.tensor.is_cpu()) handle.tensor = handle.tensor.cpu();
  return handle.tensor;
}

void push_packed(lua_State* L, std::shared_ptr<const PackedWeight> packed) {
  collect_over_budget(L);
  push_handle(L, PackedHandle(std::move(packed)));
}

}  // namespace qspec::lua
