#include "bindings/torch/tensor_arguments.h"

#include <ATen/ScalarOps.h>

#include <cmath>
#include <string>

#include "bindings/boundary.h"
#include "bindings/torch/tensor_handle.h"
#include "bindings/torch/torch_boundary.h"
#include "engine/tensor/dtypes.h"

namespace qspec::lua {
namespace {

int64_t from_one(lua_State* L, int index, int64_t size, const char* what) {
  const int64_t value = check_integer(L, index);
  const int64_t position = value < 0 ? value + size : value - 1;
  if (value != 0 && position >= 0 && position < size) return position;
  throw Error(ErrorKind::kSpec, running_function(L) + what + " " + std::to_string(value) +
                                    " is out of range, wanted 1 to " + std::to_string(size) +
                                    " or -" + std::to_string(size) + " to -1");
}

template <class T, class Check>
std::vector<T> check_list(lua_State* L, int index, Check check) {
  check_table(L, index);
  std::vector<T> values;
  const size_t count = lua_objlen(L, index);
  values.reserve(count);
  for (size_t i = 1; i <= count; ++i) {
    lua_rawgeti(L, index, static_cast<int>(i));
    values.push_back(check(L, lua_gettop(L)));
    lua_pop(L, 1);
  }
  return values;
}

// A number that takes part in an operation without a dtype of its own, as in PyTorch.
at::Tensor wrapped_number(const at::Scalar& value) {
  at::Tensor tensor = c10::scalar_to_tensor(value);
  tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
  return tensor;
}

[[noreturn]] void refuse_field(lua_State* L, const char* key, const char* found,
                               const char* wanted) {
  throw Error(ErrorKind::kSpec,
              running_function(L) + "field '" + key + "' is a " + found + ", wanted " + wanted);
}

// Of the field `key`, which stays on the stack.
TensorHandle& handle_field(lua_State* L, int index, const char* key) {
  lua_getfield(L, index, key);
  TensorHandle* handle = test_handle<TensorHandle>(L, -1);
  if (handle == nullptr) refuse_field(L, key, luaL_typename(L, -1), "a live qspec.Tensor");
  return *handle;
}

}  // namespace

int64_t check_dim(lua_State* L, int index, const at::Tensor& tensor) {
  return from_one(L, index, tensor.dim(), "dimension");
}

std::optional<int64_t> optional_dim(lua_State* L, int index, const at::Tensor& tensor) {
  if (is_absent(L, index)) return std::nullopt;
  return check_dim(L, index, tensor);
}

int64_t check_position(lua_State* L, int index, int64_t size) {
  return from_one(L, index, size, "position");
}

at::ScalarType check_dtype(lua_State* L, int index) {
  return scalar_type_named(check_string(L, index));
}

at::ScalarType optional_dtype(lua_State* L, int index, at::ScalarType otherwise) {
  return is_absent(L, index) ? otherwise : check_dtype(L, index);
}

std::vector<int64_t> check_sizes(lua_State* L, int index) {
  if (lua_istable(L, index)) return check_integers(L, index);
  std::vector<int64_t> sizes;
  for (int i = index; i <= lua_gettop(L); ++i) sizes.push_back(check_integer(L, i));
  return sizes;
}

std::vector<int64_t> check_integers(lua_State* L, int index) {
  return check_list<int64_t>(L, index, check_integer);
}

std::vector<double> check_numbers(lua_State* L, int index) {
  return check_list<double>(L, index, check_number);
}

at::Scalar check_scalar(lua_State* L, int index) {
  const double value = check_number(L, index);
  const bool is_whole = std::floor(value) == value && std::fabs(value) <= 0x1p53;
  return is_whole ? at::Scalar(static_cast<int64_t>(value)) : at::Scalar(value);
}

std::pair<at::Tensor, at::Tensor> check_operands(lua_State* L, int index) {
  const auto operand = [L](int i) {
    return lua_type(L, i) == LUA_TNUMBER ? wrapped_number(check_scalar(L, i)) : check_tensor(L, i);
  };
  if (lua_type(L, index) == LUA_TNUMBER) return {operand(index), check_tensor(L, index + 1)};
  return {check_tensor(L, index), operand(index + 1)};
}

at::Tensor tensor_field(lua_State* L, int index, const char* key) {
  at::Tensor tensor = on_host(handle_field(L, index, key));
  lua_pop(L, 1);
  return tensor;
}

at::Tensor tensor_field_anywhere(lua_State* L, int index, const char* key) {
  at::Tensor tensor = handle_field(L, index, key).tensor;
  lua_pop(L, 1);
  return tensor;
}

int64_t integer_field(lua_State* L, int index, const char* key) {
  lua_getfield(L, index, key);
  if (lua_type(L, -1) != LUA_TNUMBER) refuse_field(L, key, luaL_typename(L, -1), "a whole number");
  const int64_t value = check_integer(L, lua_gettop(L));
  lua_pop(L, 1);
  return value;
}

}  // namespace qspec::lua
