// tensor.vector_sums and tensor.vector_columns: weights made of the vectors of codebooks.

#include <memory>
#include <utility>

#include "bindings/boundary.h"
#include "bindings/torch/tensor_arguments.h"
#include "bindings/torch/tensor_handle.h"
#include "bindings/torch/tensor_methods.h"
#include "bindings/torch/torch_boundary.h"
#include "engine/tensor/summed_vectors.h"
#include "engine/tensor/vector_columns.h"

namespace qspec::lua {
namespace {

std::vector<int64_t> shape_field(lua_State* L) {
  lua_getfield(L, 1, "shape");
  std::vector<int64_t> shape = check_integers(L, lua_gettop(L));
  lua_pop(L, 1);
  return shape;
}

at::Tensor optional_tensor_field(lua_State* L, const char* key) {
  lua_getfield(L, 1, key);
  const bool is_there = !lua_isnil(L, -1);
  lua_pop(L, 1);
  return is_there ? tensor_field(L, 1, key) : at::Tensor();
}

// tensor.vector_sums {codes, codebooks, scales, shape}
int vector_sums(lua_State* L) {
  check_table(L, 1);
  VectorSums weight{tensor_field(L, 1, "codes"),
                    tensor_field(L, 1, "codebooks"),
                    tensor_field(L, 1, "scales"),
                    {}};
  lua_getfield(L, 1, "shape");
  weight.shape = check_integers(L, lua_gettop(L));
  push_packed(L, std::make_shared<const SummedVectors>(std::move(weight)));
  return 1;
}

// tensor.vector_columns {indices, bits, residual_bits, vectors, [residuals, leading, order, scales,
// shifts,] shape}
int vector_columns(lua_State* L) {
  check_table(L, 1);
  VectorColumns weight;
  weight.indices = tensor_field(L, 1, "indices");
  weight.bits = integer_field(L, 1, "bits");
  weight.residual_bits = integer_field(L, 1, "residual_bits");
  weight.vectors = tensor_field(L, 1, "vectors");
  weight.residuals = optional_tensor_field(L, "residuals");
  weight.leading = optional_tensor_field(L, "leading");
  weight.order = optional_tensor_field(L, "order");
  weight.scales = optional_tensor_field(L, "scales");
  weight.shifts = optional_tensor_field(L, "shifts");
  weight.shape = shape_field(L);
  push_tensor(L, decoded_columns(weight));
  return 1;
}

}  // namespace

const luaL_Reg kVectorMakers[] = {{"vector_sums", torch_guard<vector_sums>},
                                  {"vector_columns", torch_guard<vector_columns>},
                                  {nullptr, nullptr}};

}  // namespace qspec::lua
