// Methods of qspec.Tensor that look at its elements in another shape, order or dtype.

#include <ATen/ops/tensor.h>

#include "bindings/torch/tensor_arguments.h"
#include "bindings/torch/tensor_handle.h"
#include "bindings/torch/tensor_methods.h"
#include "bindings/torch/torch_boundary.h"
#include "engine/tensor/sizes.h"

namespace qspec::lua {
namespace {

using at::Tensor;

// tensor:to(dtype)
int to(lua_State* L) {
  const Tensor& tensor = check_tensor_anywhere(L, 1);
  const at::ScalarType dtype = check_dtype(L, 2);
  checked_size(tensor.sizes(), dtype);
  push_tensor(L, tensor.to(dtype));
  return 1;
}

// tensor:reshape(sizes)
int reshape(lua_State* L) {
  push_tensor(L, check_tensor_anywhere(L, 1).reshape(check_sizes(L, 2)));
  return 1;
}

// tensor:view(sizes | dtype)
int view(lua_State* L) {
  const Tensor& tensor = check_tensor_anywhere(L, 1);
  push_tensor(L, lua_type(L, 2) == LUA_TSTRING ? tensor.contiguous().view(check_dtype(L, 2))
                                               : tensor.view(check_sizes(L, 2)));
  return 1;
}

int flatten(lua_State* L) {
  push_tensor(L, check_tensor_anywhere(L, 1).flatten());
  return 1;
}

// tensor:transpose(dim, other_dim)
int transpose(lua_State* L) {
  const Tensor& tensor = check_tensor_anywhere(L, 1);
  push_tensor(L, tensor.transpose(check_dim(L, 2, tensor), check_dim(L, 3, tensor)));
  return 1;
}

int t(lua_State* L) {
  push_tensor(L, check_tensor_anywhere(L, 1).t());
  return 1;
}

int contiguous(lua_State* L) {
  push_tensor(L, check_tensor_anywhere(L, 1).contiguous());
  return 1;
}

int clone(lua_State* L) {
  push_tensor(L, check_tensor(L, 1).clone());
  return 1;
}

// tensor:narrow(dim, first, length)
int narrow(lua_State* L) {
  const Tensor& tensor = check_tensor_anywhere(L, 1);
  const int64_t dim = check_dim(L, 2, tensor), length = check_integer(L, 4);
  // An empty part may begin behind the last element.
  const int64_t room = tensor.size(dim) + (length == 0 ? 1 : 0);
  push_tensor(L, tensor.narrow(dim, check_position(L, 3, room), length));
  return 1;
}

// tensor:select(dim, position)
int select(lua_State* L) {
  const Tensor& tensor = check_tensor_anywhere(L, 1);
  const int64_t dim = check_dim(L, 2, tensor);
  push_tensor(L, tensor.select(dim, check_position(L, 3, tensor.size(dim))));
  return 1;
}

// tensor:index_select(dim, positions), a list or a tensor that counts from 1
int index_select(lua_State* L) {
  const Tensor& tensor = check_tensor(L, 1);
  const int64_t dim = check_dim(L, 2, tensor);
  const Tensor positions =
      lua_istable(L, 3) ? at::tensor(check_integers(L, 3), at::kLong) : check_tensor(L, 3);
  std::vector<int64_t> shape = tensor.sizes().vec();
  shape[static_cast<size_t>(dim)] = positions.numel();
  checked_size(shape, tensor.scalar_type());
  push_tensor(L, tensor.index_select(dim, positions.flatten().sub(1)));
  return 1;
}

}  // namespace

const luaL_Reg kTensorShapes[] = {{"to", torch_guard<to>},
                                  {"reshape", torch_guard<reshape>},
                                  {"view", torch_guard<view>},
                                  {"flatten", torch_guard<flatten>},
                                  {"transpose", torch_guard<transpose>},
                                  {"t", torch_guard<t>},
                                  {"contiguous", torch_guard<contiguous>},
                                  {"clone", torch_guard<clone>},
                                  {"narrow", torch_guard<narrow>},
                                  {"select", torch_guard<select>},
                                  {"index_select", torch_guard<index_select>},
                                  {nullptr, nullptr}};

}  // namespace qspec::lua
