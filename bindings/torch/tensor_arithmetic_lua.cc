// Arithmetic of qspec.Tensor, element by element, with broadcasting; operands may be numbers.

#include <ATen/ops/abs.h>
#include <ATen/ops/add.h>
#include <ATen/ops/bitwise_and.h>
#include <ATen/ops/bitwise_left_shift.h>
#include <ATen/ops/bitwise_or.h>
#include <ATen/ops/bitwise_right_shift.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/div.h>
#include <ATen/ops/eq.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/floor.h>
#include <ATen/ops/ge.h>
#include <ATen/ops/gt.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/isinf.h>
#include <ATen/ops/isnan.h>
#include <ATen/ops/le.h>
#include <ATen/ops/log.h>
#include <ATen/ops/logical_and.h>
#include <ATen/ops/logical_not.h>
#include <ATen/ops/logical_or.h>
#include <ATen/ops/lt.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/ne.h>
#include <ATen/ops/neg.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/remainder.h>
#include <ATen/ops/round.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/where.h>

#include "bindings/torch/tensor_arguments.h"
#include "bindings/torch/tensor_handle.h"
#include "bindings/torch/tensor_methods.h"
#include "bindings/torch/torch_boundary.h"
#include "engine/tensor/sizes.h"

namespace qspec::lua {
namespace {

using at::Tensor;

template <auto operation>
int unary(lua_State* L) {
  push_tensor(L, operation(check_tensor(L, 1)));
  return 1;
}

template <auto operation>
int binary(lua_State* L) {
  const auto [a, b] = check_operands(L, 1);
  check_broadcast(a, b);
  push_tensor(L, operation(a, b));
  return 1;
}

// tensor:clamp(min | nil, max | nil)
int clamp(lua_State* L) {
  const Tensor& tensor = check_tensor(L, 1);
  std::optional<at::Scalar> low, high;
  if (!is_absent(L, 2)) low = check_scalar(L, 2);
  if (!is_absent(L, 3)) high = check_scalar(L, 3);
  push_tensor(L, at::clamp(tensor, low, high));
  return 1;
}

// condition:where(a, b)
int where(lua_State* L) {
  const Tensor& condition = check_tensor(L, 1);
  const auto [a, b] = check_operands(L, 2);
  check_broadcast(a, b);
  check_broadcast(condition, a);
  check_broadcast(condition, b);
  push_tensor(L, at::where(condition, a, b));
  return 1;
}

// tensor:matmul(other)
int matmul(lua_State* L) {
  const Tensor &a = check_tensor(L, 1), &b = check_tensor(L, 2);
  check_matmul(a, b);
  push_tensor(L, at::matmul(a, b));
  return 1;
}

template <auto operation>
constexpr lua_CFunction kUnary = torch_guard<unary<operation>>;
template <auto operation>
constexpr lua_CFunction kBinary = torch_guard<binary<operation>>;

using One = const Tensor&;

constexpr lua_CFunction kAdd = kBinary<[](One a, One b) { return at::add(a, b); }>;
constexpr lua_CFunction kSub = kBinary<[](One a, One b) { return at::sub(a, b); }>;
constexpr lua_CFunction kMul = kBinary<[](One a, One b) { return at::mul(a, b); }>;
constexpr lua_CFunction kDiv = kBinary<[](One a, One b) { return at::div(a, b); }>;
constexpr lua_CFunction kMod = kBinary<[](One a, One b) { return at::remainder(a, b); }>;
constexpr lua_CFunction kPow = kBinary<[](One a, One b) { return at::pow(a, b); }>;
constexpr lua_CFunction kNeg = kUnary<[](One x) { return at::neg(x); }>;

}  // namespace

const luaL_Reg kTensorArithmetic[] = {
    {"add", kAdd},
    {"sub", kSub},
    {"mul", kMul},
    {"div", kDiv},
    {"mod", kMod},
    {"pow", kPow},
    {"neg", kNeg},
    {"abs", kUnary<[](One x) { return at::abs(x); }>},
    {"sqrt", kUnary<[](One x) { return at::sqrt(x); }>},
    {"exp", kUnary<[](One x) { return at::exp(x); }>},
    {"log", kUnary<[](One x) { return at::log(x); }>},
    {"floor", kUnary<[](One x) { return at::floor(x); }>},
    {"round", kUnary<[](One x) { return at::round(x); }>},
    {"clamp", torch_guard<clamp>},
    {"minimum", kBinary<[](One a, One b) { return at::minimum(a, b); }>},
    {"maximum", kBinary<[](One a, One b) { return at::maximum(a, b); }>},
    {"eq", kBinary<[](One a, One b) { return at::eq(a, b); }>},
    {"ne", kBinary<[](One a, One b) { return at::ne(a, b); }>},
    {"lt", kBinary<[](One a, One b) { return at::lt(a, b); }>},
    {"le", kBinary<[](One a, One b) { return at::le(a, b); }>},
    {"gt", kBinary<[](One a, One b) { return at::gt(a, b); }>},
    {"ge", kBinary<[](One a, One b) { return at::ge(a, b); }>},
    {"logical_and", kBinary<[](One a, One b) { return at::logical_and(a, b); }>},
    {"logical_or", kBinary<[](One a, One b) { return at::logical_or(a, b); }>},
    {"logical_not", kUnary<[](One x) { return at::logical_not(x); }>},
    {"isfinite", kUnary<[](One x) { return at::isfinite(x); }>},
    {"isnan", kUnary<[](One x) { return at::isnan(x); }>},
    {"isinf", kUnary<[](One x) { return at::isinf(x); }>},
    {"band", kBinary<[](One a, One b) { return at::bitwise_and(a, b); }>},
    {"bor", kBinary<[](One a, One b) { return at::bitwise_or(a, b); }>},
    {"lshift", kBinary<[](One a, One b) { return at::bitwise_left_shift(a, b); }>},
    {"rshift", kBinary<[](One a, One b) { return at::bitwise_right_shift(a, b); }>},
    {"where", torch_guard<where>},
    {"matmul", torch_guard<matmul>},
    {nullptr, nullptr}};

const luaL_Reg kTensorArithmeticMetamethods[] = {
    {"__add", kAdd}, {"__sub", kSub}, {"__mul", kMul}, {"__div", kDiv},
    {"__mod", kMod}, {"__pow", kPow}, {"__unm", kNeg}, {nullptr, nullptr}};

}  // namespace qspec::lua
