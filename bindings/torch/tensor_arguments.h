#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Scalar.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <lua.hpp>
#include <optional>
#include <utility>
#include <vector>

namespace qspec::lua {

// Arguments of tensor functions. Each throws an Error that names the function. Lua counts elements
// and dimensions from 1, and from -1 backwards; what these return counts from 0.

int64_t check_dim(lua_State* L, int index, const at::Tensor& tensor);
std::optional<int64_t> optional_dim(lua_State* L, int index, const at::Tensor& tensor);

// A position along a dimension of `size` elements.
int64_t check_position(lua_State* L, int index, int64_t size);

at::ScalarType check_dtype(lua_State* L, int index);
at::ScalarType optional_dtype(lua_State* L, int index, at::ScalarType otherwise);

// Sizes as a list at `index`, or as all arguments from there on. -1 is passed through.
std::vector<int64_t> check_sizes(lua_State* L, int index);

// A list of whole numbers, or of numbers.
std::vector<int64_t> check_integers(lua_State* L, int index);
std::vector<double> check_numbers(lua_State* L, int index);

// A number as LibTorch promotes one: whole numbers are integers.
at::Scalar check_scalar(lua_State* L, int index);

// Arguments `index` and `index + 1`, tensors or numbers, one a tensor at least. A number takes the
// dtype of the other unless that cannot hold a fraction that it has.
std::pair<at::Tensor, at::Tensor> check_operands(lua_State* L, int index);

// Field `key` of the table at `index`; errors name it.
at::Tensor tensor_field(lua_State* L, int index, const char* key);  // on the host
at::Tensor tensor_field_anywhere(lua_State* L, int index, const char* key);
int64_t integer_field(lua_State* L, int index, const char* key);

}  // namespace qspec::lua
