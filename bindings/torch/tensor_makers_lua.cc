// Functions of host.tensor that make tensors out of files, Lua values and other tensors.

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <string>
#include <vector>

#include "bindings/checkpoint_handle.h"
#include "bindings/torch/tensor_arguments.h"
#include "bindings/torch/tensor_handle.h"
#include "bindings/torch/tensor_methods.h"
#include "bindings/torch/torch_boundary.h"
#include "engine/tensor/sizes.h"
#include "engine/tensor/stored_tensor.h"

namespace qspec::lua {
namespace {

using at::Tensor;

constexpr size_t kMostDimensions = 16;

// tensor.read(checkpoint, name)
int read(lua_State* L) {
  const auto& handle = check_handle<CheckpointHandle>(L, 1);
  const std::string_view name = check_string(L, 2);
  // Tensors that Lua has dropped but not collected may hold the room on the device.
  auto tensor = take_uploaded(*handle.checkpoint, name, [L] { lua_gc(L, LUA_GCCOLLECT, 0); });
  push_tensor(L, tensor ? *std::move(tensor) : read_tensor(*handle.checkpoint, name));
  return 1;
}

// tensor.store(overlay, name, tensor)
int store(lua_State* L) {
  auto overlay =
      std::dynamic_pointer_cast<Overlay>(check_handle<CheckpointHandle>(L, 1).checkpoint);
  if (overlay == nullptr) argument_error(L, 1, "an overlay, as checkpoint:overlay() makes one");
  store_tensor(*overlay, std::string(check_string(L, 2)), check_tensor_anywhere(L, 3));
  return 0;
}

// The elements of nested tables, row by row.
struct Nested {
  std::vector<int64_t> shape;
  std::vector<double> elements;
  bool all_booleans = true;
};

// The sizes along the first element of each level; the others are held against them.
void measure(lua_State* L, int index, Nested& nested) {
  lua_pushvalue(L, index);
  while (lua_istable(L, -1)) {
    nested.shape.push_back(static_cast<int64_t>(lua_objlen(L, -1)));
    if (nested.shape.size() > kMostDimensions) {
      throw Error(ErrorKind::kSpec,
                  running_function(L) + "tables are nested deeper than 16 dimensions");
    }
    lua_rawgeti(L, -1, 1);
    lua_remove(L, -2);
  }
  lua_pop(L, 1);
}

void collect(lua_State* L, size_t depth, Nested& nested) {
  if (depth == nested.shape.size()) {
    const int type = lua_type(L, -1);
    if (type != LUA_TNUMBER && type != LUA_TBOOLEAN) {
      throw Error(ErrorKind::kSpec, running_function(L) + "an element is a " +
                                        luaL_typename(L, -1) + ", wanted a number");
    }
    nested.all_booleans = nested.all_booleans && type == LUA_TBOOLEAN;
    nested.elements.push_back(type == LUA_TNUMBER ? lua_tonumber(L, -1) : lua_toboolean(L, -1));
    return;
  }
  const auto wanted = nested.shape[depth];
  if (!lua_istable(L, -1) || static_cast<int64_t>(lua_objlen(L, -1)) != wanted) {
    throw Error(ErrorKind::kSpec, running_function(L) + "a table in dimension " +
                                      std::to_string(depth + 1) + " does not have the " +
                                      std::to_string(wanted) + " elements of the first one");
  }
  luaL_checkstack(L, 4, "too many dimensions");
  for (int64_t i = 1; i <= wanted; ++i) {
    lua_rawgeti(L, -1, static_cast<int>(i));
    collect(L, depth + 1, nested);
    lua_pop(L, 1);
  }
}

// tensor.from(number | boolean | nested tables [, dtype])
int from(lua_State* L) {
  lua_settop(L, 2);
  Nested nested;
  measure(L, 1, nested);
  lua_pushvalue(L, 1);
  collect(L, 0, nested);
  lua_pop(L, 1);
  const bool is_bool = nested.all_booleans && !nested.elements.empty();
  const at::ScalarType dtype = optional_dtype(L, 2, is_bool ? at::kBool : at::kFloat);
  push_tensor(L, at::tensor(nested.elements, at::kDouble).reshape(nested.shape).to(dtype));
  return 1;
}

// tensor.zeros(sizes [, dtype])
int zeros(lua_State* L) {
  const std::vector<int64_t> sizes = check_integers(L, 1);
  const at::ScalarType dtype = optional_dtype(L, 2, at::kFloat);
  push_tensor(L, at::zeros(checked_size(sizes, dtype), dtype));
  return 1;
}

// tensor.arange([first,] last [, dtype]): whole numbers, both ends in; from 1 unless given
int arange(lua_State* L) {
  const bool from_one = lua_type(L, 2) != LUA_TNUMBER;
  const int64_t first = from_one ? 1 : check_integer(L, 1);
  const int64_t last = check_integer(L, from_one ? 1 : 2);
  const at::ScalarType dtype = optional_dtype(L, from_one ? 2 : 3, at::kLong);
  checked_size({std::max<int64_t>(0, last - first + 1)}, at::kLong);
  push_tensor(L, at::arange(first, std::max(first, last + 1), at::kLong).to(dtype));
  return 1;
}

// tensor.cat(list [, dim])
int cat(lua_State* L) {
  check_table(L, 1);
  std::vector<Tensor> tensors;
  int64_t elements = 0;
  for (size_t i = 1; i <= lua_objlen(L, 1); ++i) {
    lua_rawgeti(L, 1, static_cast<int>(i));
    tensors.push_back(check_tensor_anywhere(L, lua_gettop(L)));
    elements += tensors.back().numel();
    lua_pop(L, 1);
  }
  if (tensors.empty()) throw Error(ErrorKind::kSpec, running_function(L) + "the list is empty");
  checked_size({elements}, tensors[0].scalar_type());
  const int64_t dim = optional_dim(L, 2, tensors[0]).value_or(0);
  for (Tensor& tensor : tensors) tensor = tensor.to(tensors[0].device());
  push_tensor(L, at::cat(tensors, dim));
  return 1;
}

}  // namespace

const luaL_Reg kTensorMakers[] = {{"read", torch_guard<read>},
                                  {"store", torch_guard<store>},
                                  {"from", torch_guard<from>},
                                  {"zeros", torch_guard<zeros>},
                                  {"arange", torch_guard<arange>},
                                  {"cat", torch_guard<cat>},
                                  {nullptr, nullptr}};

}  // namespace qspec::lua
