#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <utility>

#include "bindings/torch/memory_budget.h"
#include "engine/tensor/packed.h"

struct lua_State;

namespace qspec::lua {

// What a qspec.Tensor userdata holds.
struct TensorHandle {
  static constexpr const char* kLuaName = "qspec.Tensor";

  explicit TensorHandle(at::Tensor value);

  at::Tensor tensor;
  HeldBytes held;
};

// What a qspec.Packed userdata holds.
struct PackedHandle {
  static constexpr const char* kLuaName = "qspec.Packed";

  explicit PackedHandle(std::shared_ptr<const PackedWeight> weight)
      : packed(std::move(weight)), held(packed.get(), packed->bytes()) {}

  std::shared_ptr<const PackedWeight> packed;
  HeldBytes held;
};

// Pushes a qspec.Tensor. May run Lua's collector first (memory_budget.h).
void push_tensor(lua_State* L, at::Tensor tensor);

// The tensor of the qspec.Tensor at `index`; throws an Error that names the function otherwise. One
// that lies on a GPU comes to the host, once and for good: only functions that take it anywhere say
// so, by the second.
const at::Tensor& check_tensor(lua_State* L, int index);
const at::Tensor& check_tensor_anywhere(lua_State* L, int index);
const at::Tensor& on_host(TensorHandle& handle);

void push_packed(lua_State* L, std::shared_ptr<const PackedWeight> packed);

}  // namespace qspec::lua
