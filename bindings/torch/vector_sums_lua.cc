// tensor.vector_sums: a packed weight whose blocks are sums of codebook vectors.

#include <memory>
#include <utility>

#include "bindings/boundary.h"
#include "bindings/torch/tensor_arguments.h"
#include "bindings/torch/tensor_handle.h"
#include "bindings/torch/tensor_methods.h"
#include "bindings/torch/torch_boundary.h"
#include "engine/tensor/summed_vectors.h"

namespace qspec::lua {
namespace {

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

}  // namespace

const luaL_Reg kVectorMakers[] = {{"vector_sums", torch_guard<vector_sums>}, {nullptr, nullptr}};

}  // namespace qspec::lua
