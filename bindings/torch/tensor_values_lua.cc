// What qspec.Tensor says about itself and its values.

#include <sstream>
#include <string>

#include "bindings/torch/result_tables.h"
#include "bindings/torch/tensor_arguments.h"
#include "bindings/torch/tensor_handle.h"
#include "bindings/torch/tensor_methods.h"
#include "bindings/torch/torch_boundary.h"
#include "engine/core/sha256.h"
#include "engine/tensor/bits.h"
#include "engine/tensor/compare.h"
#include "engine/tensor/dtypes.h"
#include "engine/tensor/reductions.h"
#include "engine/tensor/statistics.h"

namespace qspec::lua {
namespace {

using at::Tensor;

constexpr int64_t kLongestList = 65536;

int dtype(lua_State* L) {
  push(L, torch_name(check_tensor_anywhere(L, 1).scalar_type()));
  return 1;
}

int shape(lua_State* L) {
  push_sizes(L, check_tensor_anywhere(L, 1).sizes());
  return 1;
}

int dim(lua_State* L) {
  push_integer(L, check_tensor_anywhere(L, 1).dim());
  return 1;
}

int numel(lua_State* L) {
  push_integer(L, check_tensor_anywhere(L, 1).numel());
  return 1;
}

int bytes(lua_State* L) {
  push_integer(L, static_cast<int64_t>(check_tensor_anywhere(L, 1).nbytes()));
  return 1;
}

void push_element(lua_State* L, const Tensor& element) {
  if (element.scalar_type() == at::kBool) {
    lua_pushboolean(L, element.item<bool>());
  } else {
    lua_pushnumber(L, number_of(element));
  }
}

int item(lua_State* L) {
  push_element(L, check_tensor(L, 1));
  return 1;
}

void push_list(lua_State* L, const Tensor& tensor) {
  if (tensor.dim() == 0) return push_element(L, tensor);
  luaL_checkstack(L, 4, "too many dimensions");
  lua_createtable(L, static_cast<int>(tensor.size(0)), 0);
  for (int64_t i = 0; i < tensor.size(0); ++i) {
    push_list(L, tensor.select(0, i));
    lua_rawseti(L, -2, static_cast<int>(i + 1));
  }
}

// tensor:tolist([most elements]) -> nested tables
int tolist(lua_State* L) {
  const Tensor& tensor = check_tensor(L, 1);
  const int64_t most = is_absent(L, 2) ? kLongestList : check_integer(L, 2);
  if (tensor.numel() > most) {
    throw Error(ErrorKind::kSpec, running_function(L) + "a tensor of " +
                                      std::to_string(tensor.numel()) +
                                      " elements is over the limit of " + std::to_string(most))
        .hint("narrow it first, or pass a higher limit");
  }
  push_list(L, tensor);
  return 1;
}

int stats(lua_State* L) {
  push_statistics(L, statistics(check_tensor(L, 1)));
  return 1;
}

// decoded:compare(baseline)
int compare_with(lua_State* L) {
  push_comparison(L, compare(check_tensor_anywhere(L, 1), check_tensor_anywhere(L, 2)));
  return 1;
}

int equal(lua_State* L) {
  lua_pushboolean(L, equal_bits(check_tensor(L, 1), check_tensor(L, 2)));
  return 1;
}

// tensor:sha256() -> digits
int sha256(lua_State* L) {
  const Tensor tensor = check_tensor(L, 1).cpu().contiguous();
  push(L, sha256_of_pieces({static_cast<const std::byte*>(tensor.data_ptr()), tensor.nbytes()}));
  return 1;
}

int to_string(lua_State* L) {
  const Tensor& tensor = check_tensor_anywhere(L, 1);
  std::ostringstream text;
  text << "tensor " << torch_name(tensor.scalar_type()) << ' ' << tensor.sizes();
  push(L, text.str());
  return 1;
}

}  // namespace

const luaL_Reg kTensorValues[] = {{"dtype", torch_guard<dtype>},
                                  {"shape", torch_guard<shape>},
                                  {"dim", torch_guard<dim>},
                                  {"numel", torch_guard<numel>},
                                  {"bytes", torch_guard<bytes>},
                                  {"item", torch_guard<item>},
                                  {"tolist", torch_guard<tolist>},
                                  {"stats", torch_guard<stats>},
                                  {"compare", torch_guard<compare_with>},
                                  {"equal", torch_guard<equal>},
                                  {"sha256", torch_guard<sha256>},
                                  {nullptr, nullptr}};

const luaL_Reg kTensorValueMetamethods[] = {
    {"__tostring", torch_guard<to_string>}, {"__len", torch_guard<numel>}, {nullptr, nullptr}};

}  // namespace qspec::lua
