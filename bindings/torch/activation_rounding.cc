#include "bindings/torch/activation_rounding.h"

#include <cmath>
#include <string_view>
#include <utility>

#include "bindings/boundary.h"
#include "bindings/torch/tensor_handle.h"
#include "engine/model/linear_activations.h"

namespace qspec::lua {
namespace {

using Rounding = ActivationRounding;

constexpr double kMostGroup = 1 << 30;

[[noreturn]] void refuse(const std::string& module, const char* field, const char* wanted) {
  throw Error(ErrorKind::kSpec,
              "weights['" + printable(module) + "'].input." + field + " is no " + wanted);
}

template <typename Value, size_t N>
Value one_of(lua_State* L, const std::string& module, const char* field,
             const std::pair<std::string_view, Value> (&names)[N]) {
  lua_getfield(L, -1, field);
  const bool is_text = lua_type(L, -1) == LUA_TSTRING;
  const std::string_view text = is_text ? check_string(L, -1) : std::string_view();
  for (const auto& [name, value] : names) {
    if (is_text && text == name) {
      lua_pop(L, 1);
      return value;
    }
  }
  refuse(module, field, "known name");
}

int64_t whole(lua_State* L, const std::string& module, const char* field, int64_t absent) {
  lua_getfield(L, -1, field);
  const bool is_number = lua_type(L, -1) == LUA_TNUMBER;
  const double value = is_number ? lua_tonumber(L, -1) : static_cast<double>(absent);
  const bool fits = value >= 0 && value <= kMostGroup && value == std::floor(value);
  if (!fits || (!is_number && !lua_isnil(L, -1))) refuse(module, field, "whole number");
  lua_pop(L, 1);
  return static_cast<int64_t>(value);
}

at::Tensor tensor(lua_State* L, const std::string& module, const char* field) {
  lua_getfield(L, -1, field);
  at::Tensor found;
  if (const auto* handle = test_handle<TensorHandle>(L, -1)) {
    found = handle->tensor;
  } else if (!lua_isnil(L, -1)) {
    refuse(module, field, "live qspec.Tensor");
  }
  lua_pop(L, 1);
  return found;
}

bool is_symmetric(lua_State* L) {
  lua_getfield(L, -1, "symmetric");
  const bool symmetric = lua_isnil(L, -1) || lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return symmetric;
}

constexpr std::pair<std::string_view, Rounding::Codes> kCodes[] = {
    {"int", Rounding::Codes::kInteger},
    {"e4m3", Rounding::Codes::kE4M3},
    {"e2m1", Rounding::Codes::kE2M1}};
constexpr std::pair<std::string_view, Rounding::Extent> kExtents[] = {
    {"tensor", Rounding::Extent::kTensor},
    {"token", Rounding::Extent::kToken},
    {"group", Rounding::Extent::kGroup}};
constexpr std::pair<std::string_view, Rounding::Scales> kScales[] = {
    {"plain", Rounding::Scales::kPlain},
    {"exponents", Rounding::Scales::kExponents},
    {"e4m3", Rounding::Scales::kE4M3}};

}  // namespace

ActivationRounding rounding_at_top(lua_State* L, const std::string& module) {
  ActivationRounding rounding;
  rounding.codes = one_of(L, module, "codes", kCodes);
  rounding.extent = one_of(L, module, "per", kExtents);
  rounding.scales = one_of(L, module, "scales", kScales);
  rounding.bits = static_cast<int>(whole(L, module, "bits", 8));
  rounding.group_size = whole(L, module, "group_size", 0);
  rounding.symmetric = is_symmetric(L);
  rounding.scale = tensor(L, module, "scale");
  rounding.zero_point = tensor(L, module, "zero_point");
  rounding.global_scale = tensor(L, module, "global_scale");
  check_rounding(rounding);
  return rounding;
}

}  // namespace qspec::lua
