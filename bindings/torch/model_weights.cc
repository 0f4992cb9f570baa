#include "bindings/torch/model_weights.h"

#include <string>

#include "bindings/boundary.h"
#include "bindings/torch/activation_rounding.h"
#include "bindings/torch/tensor_handle.h"
#include "engine/model/compute_dtype.h"

namespace qspec::lua {
namespace {

[[noreturn]] void refuse(const std::string& module, const char* field, const char* wanted) {
  throw Error(ErrorKind::kSpec,
              "weights['" + printable(module) + "']" + field + " is no " + wanted);
}

at::Tensor tensor_at(lua_State* L, int index, const std::string& module, const char* field) {
  const TensorHandle* handle = test_handle<TensorHandle>(L, index);
  if (handle == nullptr) refuse(module, field, "live qspec.Tensor");
  return handle->tensor;
}

// The fields of one module; the table of the module is on top of the stack, and stays there.
void read_weight(lua_State* L, const std::string& name, ModuleWeights& module) {
  lua_getfield(L, -1, "weight");
  if (const auto* packed = test_handle<PackedHandle>(L, -1)) {
    module.packed = packed->packed;
  } else if (!lua_isnil(L, -1)) {
    module.weight = tensor_at(L, -1, name, ".weight");
  }
  lua_pop(L, 1);
}

void read_bias(lua_State* L, const std::string& name, ModuleWeights& module) {
  lua_getfield(L, -1, "bias");
  if (!lua_isnil(L, -1)) module.bias = tensor_at(L, -1, name, ".bias");
  lua_pop(L, 1);
}

std::optional<at::ScalarType> read_dtype(lua_State* L, const std::string& name, const char* field) {
  std::optional<at::ScalarType> dtype;
  lua_getfield(L, -1, field);
  if (lua_type(L, -1) == LUA_TSTRING) {
    dtype = compute_dtype_named(check_string(L, -1));
  } else if (!lua_isnil(L, -1)) {
    refuse(name, (std::string(".") + field).c_str(), "string");
  }
  lua_pop(L, 1);
  return dtype;
}

// How often the library rounds.
void read_roundings(lua_State* L, const std::string& name, ModuleWeights& module) {
  module.compute_dtype = read_dtype(L, name, "compute_dtype");
  module.decode_dtype = read_dtype(L, name, "decode_dtype");
  lua_getfield(L, -1, "output_scale");
  if (!lua_isnil(L, -1)) module.output_scale = tensor_at(L, -1, name, ".output_scale");
  lua_getfield(L, -2, "bias_apart");
  module.bias_apart = lua_toboolean(L, -1) != 0;
  lua_pop(L, 2);
}

void read_int8(lua_State* L, const std::string& name, ModuleWeights& module) {
  lua_getfield(L, -1, "int8");
  if (lua_istable(L, -1)) {
    Int8Weight weight;
    lua_getfield(L, -1, "codes");
    weight.codes = tensor_at(L, -1, name, ".int8.codes");
    lua_getfield(L, -2, "absmax");
    weight.absmax = tensor_at(L, -1, name, ".int8.absmax");
    lua_getfield(L, -3, "threshold");
    if (lua_type(L, -1) != LUA_TNUMBER) refuse(name, ".int8.threshold", "number");
    weight.threshold = lua_tonumber(L, -1);
    lua_pop(L, 3);
    module.int8 = std::move(weight);
  } else if (!lua_isnil(L, -1)) {
    refuse(name, ".int8", "table");
  }
  lua_pop(L, 1);
}

void read_input(lua_State* L, const std::string& name, ModuleWeights& module) {
  lua_getfield(L, -1, "input");
  if (lua_istable(L, -1)) {
    module.input = rounding_at_top(L, name);
  } else if (!lua_isnil(L, -1)) {
    refuse(name, ".input", "table");
  }
  lua_pop(L, 1);
}

}  // namespace

Weights weights_at(lua_State* L, int index) {
  check_table(L, index);
  Weights weights;
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    if (lua_type(L, -2) != LUA_TSTRING) {
      throw Error(ErrorKind::kSpec, "weights has a key that is no module's name");
    }
    const std::string name(check_string(L, -2));
    if (!lua_istable(L, -1)) refuse(name, "", "table");
    ModuleWeights module;
    read_weight(L, name, module);
    read_bias(L, name, module);
    read_roundings(L, name, module);
    read_int8(L, name, module);
    read_input(L, name, module);
    if (module.weight.defined() + (module.packed != nullptr) + module.int8.has_value() != 1) {
      refuse(name, "", "table with one of weight and int8");
    }
    weights.emplace(name, std::move(module));
    lua_pop(L, 1);
  }
  return weights;
}

}  // namespace qspec::lua
