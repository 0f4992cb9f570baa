// tensor.coded: a packed weight in the form that most quantizers' layouts become.

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bindings/boundary.h"
#include "bindings/torch/tensor_arguments.h"
#include "bindings/torch/tensor_handle.h"
#include "bindings/torch/tensor_methods.h"
#include "bindings/torch/torch_boundary.h"
#include "engine/core/nearest.h"
#include "engine/tensor/coded_weight.h"

namespace qspec::lua {
namespace {

const std::vector<std::string> kFields = {"codes",  "planes", "columns",      "order", "bits",
                                          "values", "scales", "scale_values", "zeros", "shifts",
                                          "groups", "block",  "step",         "shape"};

// A field that is optional and misspelt would be missed by nobody.
void check_fields(lua_State* L) {
  for (lua_pushnil(L); lua_next(L, 1) != 0; lua_pop(L, 1)) {
    const std::string key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "[a number]";
    if (std::find(kFields.begin(), kFields.end(), key) != kFields.end()) continue;
    Error error(ErrorKind::kSpec,
                running_function(L) + "there is no field '" + printable(key) + "'");
    const std::optional<std::string> nearest = nearest_name(key, kFields);
    if (nearest) error.hint("did you mean '" + *nearest + "'?");
    throw error;
  }
}

// Calls read(index) with the field at `index`; what it returns, or `otherwise` when it is absent.
template <class T, class Read>
T optional_field(lua_State* L, const char* key, T otherwise, const Read& read) {
  lua_getfield(L, 1, key);
  T value = lua_isnil(L, -1) ? std::move(otherwise) : T(read(lua_gettop(L)));
  lua_pop(L, 1);
  return value;
}

at::Tensor optional_tensor_field(lua_State* L, const char* key) {
  return optional_field(L, key, at::Tensor(), [&](int) { return tensor_field(L, 1, key); });
}

// A list or a tensor.
at::Tensor values_field(lua_State* L, const char* key) {
  lua_getfield(L, 1, key);
  const bool is_list = lua_istable(L, -1);
  at::Tensor values =
      is_list ? at::tensor(check_numbers(L, lua_gettop(L)), at::kFloat) : tensor_field(L, 1, key);
  lua_pop(L, 1);
  return values;
}

std::vector<int64_t> integers_field(lua_State* L, const char* key) {
  lua_getfield(L, 1, key);
  std::vector<int64_t> integers = check_integers(L, lua_gettop(L));
  lua_pop(L, 1);
  return integers;
}

// The codes, which lie in rows or down columns.
void read_codes(lua_State* L, Coded& weight) {
  weight.bits = integer_field(L, 1, "bits");
  const at::Tensor words = optional_tensor_field(L, "columns");
  if (!words.defined()) {
    weight.codes = tensor_field(L, 1, "codes");
    weight.planes = optional_field(L, "planes", std::vector<int64_t>(),
                                   [&](int index) { return check_integers(L, index); });
    return;
  }
  const std::optional<FieldOrder> order = optional_field(
      L, "order", std::optional<FieldOrder>(), [&](int index) { return check_integers(L, index); });
  weight.columns =
      order ? ColumnStreams::of_fields(words, weight.bits, *order) : ColumnStreams::of_words(words);
}

// tensor.coded {codes or columns, [planes or order,] bits, values, scales, [scale_values, zeros,
// shifts, groups,] block, [step,] shape}
int coded(lua_State* L) {
  check_table(L, 1);
  check_fields(L);
  const std::vector<int64_t> block = integers_field(L, "block");
  if (block.size() != 2) {
    throw Error(ErrorKind::kSpec, running_function(L) + "field 'block' has " +
                                      std::to_string(block.size()) +
                                      " numbers, wanted rows and columns");
  }
  Coded weight;
  read_codes(L, weight);
  weight.values = values_field(L, "values");
  weight.scales = tensor_field(L, 1, "scales");
  weight.scale_values = optional_field(L, "scale_values", at::Tensor(),
                                       [&](int) { return values_field(L, "scale_values"); });
  weight.zeros = optional_tensor_field(L, "zeros");
  weight.shifts = optional_tensor_field(L, "shifts");
  weight.groups = optional_tensor_field(L, "groups");
  weight.block_rows = block[0];
  weight.block_columns = block[1];
  weight.step = optional_field(L, "step", std::optional<at::ScalarType>(),
                               [&](int index) { return check_dtype(L, index); });
  weight.shape = integers_field(L, "shape");
  push_packed(L, std::make_shared<const CodedWeight>(std::move(weight)));
  return 1;
}

}  // namespace

const luaL_Reg kCodedMakers[] = {{"coded", torch_guard<coded>}, {nullptr, nullptr}};

}  // namespace qspec::lua
