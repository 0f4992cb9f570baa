// qspec.Packed: a quantized weight with everything that decoding it takes.

#include <memory>
#include <sstream>

#include "bindings/torch/result_tables.h"
#include "bindings/torch/tensor_arguments.h"
#include "bindings/torch/tensor_handle.h"
#include "bindings/torch/tensor_methods.h"
#include "bindings/torch/torch_boundary.h"
#include "engine/tensor/packed_on_gpu.h"

namespace qspec::lua {
namespace {

const PackedWeight& check_packed(lua_State* L) {
  return *check_handle<PackedHandle>(L, 1).packed;
}

// packed:decode([dtype])
int decode(lua_State* L) {
  const PackedWeight& packed = check_packed(L);
  push_tensor(L, packed.decode(optional_dtype(L, 2, at::kFloat)));
  return 1;
}

// packed:compare(baseline)
int compare(lua_State* L) {
  const PackedWeight& packed = check_packed(L);
  push_comparison(L, packed.compare(check_tensor_anywhere(L, 2)));
  return 1;
}

int shape(lua_State* L) {
  push_sizes(L, check_packed(L).shape());
  return 1;
}

int bytes(lua_State* L) {
  push_integer(L, check_packed(L).bytes());
  return 1;
}

int statistics(lua_State* L) {
  push_code_statistics(L, check_packed(L).statistics());
  return 1;
}

int to_string(lua_State* L) {
  const PackedWeight& packed = check_packed(L);
  std::ostringstream text;
  text << "packed weight " << at::IntArrayRef(packed.shape()) << " in " << packed.bytes()
       << " bytes";
  push(L, text.str());
  return 1;
}

std::vector<int64_t> shape_field(lua_State* L) {
  lua_getfield(L, 1, "shape");
  std::vector<int64_t> shape = check_integers(L, lua_gettop(L));
  lua_pop(L, 1);
  return shape;
}

// tensor.codebook4 {codes, codebook, absmax, block_size, shape}
int codebook4(lua_State* L) {
  check_table(L, 1);
  Codebook4 weight{tensor_field_anywhere(L, 1, "codes"), tensor_field_anywhere(L, 1, "codebook"),
                   tensor_field_anywhere(L, 1, "absmax"), integer_field(L, 1, "block_size"),
                   shape_field(L)};
  push_packed(L, packed_where_it_lies(std::move(weight)));
  return 1;
}

// tensor.rowwise_int8 {codes, absmax}
int rowwise_int8(lua_State* L) {
  check_table(L, 1);
  Rowwise8 weight{tensor_field_anywhere(L, 1, "codes"), tensor_field_anywhere(L, 1, "absmax")};
  push_packed(L, packed_where_it_lies(std::move(weight)));
  return 1;
}

constexpr luaL_Reg kMethods[] = {
    {"decode", torch_guard<decode>},         {"compare", torch_guard<compare>},
    {"shape", torch_guard<shape>},           {"bytes", torch_guard<bytes>},
    {"statistics", torch_guard<statistics>}, {nullptr, nullptr}};

constexpr luaL_Reg kMetamethods[] = {{"__tostring", torch_guard<to_string>}, {nullptr, nullptr}};

}  // namespace

const luaL_Reg kPackedMakers[] = {{"codebook4", torch_guard<codebook4>},
                                  {"rowwise_int8", torch_guard<rowwise_int8>},
                                  {nullptr, nullptr}};

void register_packed(lua_State* L) {
  register_type(L, PackedHandle::kLuaName, kMethods, kMetamethods, release_handle<PackedHandle>);
}

}  // namespace qspec::lua
