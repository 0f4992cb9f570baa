// Reductions of qspec.Tensor: over everything to a Lua value, or along one dimension to a tensor.

#include <ATen/ops/all.h>
#include <ATen/ops/any.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/argmin.h>
#include <ATen/ops/count_nonzero.h>
#include <ATen/ops/max.h>
#include <ATen/ops/min.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/topk.h>

#include "bindings/torch/tensor_arguments.h"
#include "bindings/torch/tensor_handle.h"
#include "bindings/torch/tensor_methods.h"
#include "bindings/torch/torch_boundary.h"
#include "engine/tensor/reductions.h"

namespace qspec::lua {
namespace {

using at::Tensor;
using One = const Tensor&;

// tensor:NAME([dim]): a number, or a tensor without that dimension.
template <auto whole, auto along>
int reduce(lua_State* L) {
  const Tensor& tensor = check_tensor(L, 1);
  const std::optional<int64_t> dim = optional_dim(L, 2, tensor);
  if (dim) {
    push_tensor(L, along(tensor, *dim));
  } else {
    lua_pushnumber(L, whole(tensor));
  }
  return 1;
}

// tensor:NAME([dim]): a boolean, or a tensor of them without that dimension.
template <auto whole, auto along>
int quantify(lua_State* L) {
  const Tensor& tensor = check_tensor(L, 1);
  const std::optional<int64_t> dim = optional_dim(L, 2, tensor);
  if (dim) {
    push_tensor(L, along(tensor, *dim));
  } else {
    lua_pushboolean(L, whole(tensor).template item<bool>());
  }
  return 1;
}

// tensor:NAME([dim]): the number, or values and positions without that dimension.
template <auto whole, auto along>
int extreme(lua_State* L) {
  const Tensor& tensor = check_tensor(L, 1);
  const std::optional<int64_t> dim = optional_dim(L, 2, tensor);
  if (!dim) {
    lua_pushnumber(L, number_of(whole(tensor)));
    return 1;
  }
  auto [values, positions] = along(tensor, *dim);
  push_tensor(L, std::move(values));
  push_tensor(L, positions.add(1));
  return 2;
}

// tensor:NAME([dim]): the position, counted from 1, or a tensor of them.
template <auto operation>
int position(lua_State* L) {
  const Tensor& tensor = check_tensor(L, 1);
  const std::optional<int64_t> dim = optional_dim(L, 2, tensor);
  const Tensor positions = operation(tensor, dim).add(1);
  if (dim) {
    push_tensor(L, positions);
  } else {
    push_integer(L, positions.item<int64_t>());
  }
  return 1;
}

// tensor:topk(count [, dim]) -> values and positions, the largest first
int topk(lua_State* L) {
  const Tensor& tensor = check_tensor(L, 1);
  const int64_t count = check_integer(L, 2);
  const int64_t dim = optional_dim(L, 3, tensor).value_or(-1);
  auto [values, positions] = at::topk(tensor, count, dim);
  push_tensor(L, std::move(values));
  push_tensor(L, positions.add(1));
  return 2;
}

}  // namespace

const luaL_Reg kTensorReductions[] = {
    {"sum", torch_guard<reduce<sum, [](One x, int64_t dim) { return at::sum(x, dim); }>>},
    {"mean", torch_guard<reduce<mean, mean_along>>},
    {"std", torch_guard<reduce<standard_deviation, standard_deviation_along>>},
    {"norm", torch_guard<reduce<norm, norm_along>>},
    {"count_nonzero",
     torch_guard<
         reduce<[](One x) { return number_of(at::count_nonzero(x)); },
                [](One x, int64_t dim) { return at::count_nonzero(x, at::IntArrayRef(dim)); }>>},
    {"max", torch_guard<extreme<[](One x) { return at::max(x); },
                                [](One x, int64_t dim) { return at::max(x, dim); }>>},
    {"min", torch_guard<extreme<[](One x) { return at::min(x); },
                                [](One x, int64_t dim) { return at::min(x, dim); }>>},
    {"argmax",
     torch_guard<position<[](One x, std::optional<int64_t> dim) { return at::argmax(x, dim); }>>},
    {"argmin",
     torch_guard<position<[](One x, std::optional<int64_t> dim) { return at::argmin(x, dim); }>>},
    {"any", torch_guard<quantify<[](One x) { return at::any(x); },
                                 [](One x, int64_t dim) { return at::any(x, dim); }>>},
    {"all", torch_guard<quantify<[](One x) { return at::all(x); },
                                 [](One x, int64_t dim) { return at::all(x, dim); }>>},
    {"topk", torch_guard<topk>},
    {nullptr, nullptr}};

}  // namespace qspec::lua
