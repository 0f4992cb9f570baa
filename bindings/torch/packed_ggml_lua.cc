// tensor.ggml: a weight in ggml's blocks, as GGUF files store it.

#include <memory>
#include <string>
#include <vector>

#include "bindings/boundary.h"
#include "bindings/checkpoint_handle.h"
#include "bindings/torch/tensor_arguments.h"
#include "bindings/torch/tensor_handle.h"
#include "bindings/torch/tensor_methods.h"
#include "bindings/torch/torch_boundary.h"
#include "engine/core/nearest.h"
#include "engine/tensor/ggml_blocks.h"
#include "engine/tensor/stored_tensor.h"

namespace qspec::lua {
namespace {

Dtype check_type(lua_State* L) {
  lua_getfield(L, 1, "type");
  const std::string_view name = check_string(L, lua_gettop(L));
  const std::optional<Dtype> dtype = dtype_of_stored_name(name);
  if (!dtype || !is_ggml_block(*dtype)) {
    throw Error(ErrorKind::kSpec, running_function(L) + "'" + printable(name) +
                                      "' is none of ggml's blocks, wanted Q4_K or another");
  }
  lua_pop(L, 1);
  return *dtype;
}

std::vector<int64_t> check_shape(lua_State* L) {
  lua_getfield(L, 1, "shape");
  std::vector<int64_t> shape = check_integers(L, lua_gettop(L));
  lua_pop(L, 1);
  return shape;
}

// tensor.ggml {blocks, type, shape}
int ggml(lua_State* L) {
  check_table(L, 1);
  const at::Tensor blocks = tensor_field(L, 1, "blocks");
  const Dtype dtype = check_type(L);
  push_packed(L, std::make_shared<const GgmlBlocks>(blocks.flatten(), dtype, check_shape(L)));
  return 1;
}

// tensor.ggml_scales {blocks, type, shape}
int ggml_scales(lua_State* L) {
  check_table(L, 1);
  const at::Tensor blocks = tensor_field(L, 1, "blocks");
  const Dtype dtype = check_type(L);
  push_tensor(L, GgmlBlocks(blocks.flatten(), dtype, check_shape(L)).scales());
  return 1;
}

// tensor.read_bytes(checkpoint, name)
int read_bytes(lua_State* L) {
  const Checkpoint& checkpoint = *check_handle<CheckpointHandle>(L, 1).checkpoint;
  push_tensor(L, read_tensor_bytes(checkpoint, check_string(L, 2)));
  return 1;
}

}  // namespace

const luaL_Reg kGgmlMakers[] = {{"ggml", torch_guard<ggml>},
                                {"ggml_scales", torch_guard<ggml_scales>},
                                {"read_bytes", torch_guard<read_bytes>},
                                {nullptr, nullptr}};

}  // namespace qspec::lua
