// Functions of host.tensor that move the bits of packed codes.

#include "bindings/boundary.h"
#include "bindings/torch/tensor_arguments.h"
#include "bindings/torch/tensor_handle.h"
#include "bindings/torch/tensor_methods.h"
#include "bindings/torch/torch_boundary.h"
#include "engine/tensor/exponents.h"
#include "engine/tensor/repack.h"

namespace qspec::lua {
namespace {

FieldOrder optional_order(lua_State* L, int index) {
  return is_absent(L, index) ? FieldOrder{} : check_integers(L, index);
}

// tensor.unpack_fields(words, bits [, order])
int unpack_fields(lua_State* L) {
  push_tensor(L,
              qspec::unpack_fields(check_tensor(L, 1), check_integer(L, 2), optional_order(L, 3)));
  return 1;
}

// tensor.unpack_stream(words, bits, count)
int unpack_stream(lua_State* L) {
  push_tensor(L,
              qspec::unpack_stream(check_tensor(L, 1), check_integer(L, 2), check_integer(L, 3)));
  return 1;
}

// tensor.pack_stream(codes, bits)
int pack_stream(lua_State* L) {
  push_tensor(L, qspec::pack_stream(check_tensor(L, 1), check_integer(L, 2)));
  return 1;
}

// tensor.transpose_words(words)
int transpose_words(lua_State* L) {
  push_tensor(L, qspec::transpose_words(check_tensor(L, 1)));
  return 1;
}

// tensor.transpose_fields(words, bits [, order])
int transpose_fields(lua_State* L) {
  push_tensor(
      L, qspec::transpose_fields(check_tensor(L, 1), check_integer(L, 2), optional_order(L, 3)));
  return 1;
}

// tensor.exponents(bytes)
int exponents(lua_State* L) {
  push_tensor(L, powers_of_two(check_tensor(L, 1)));
  return 1;
}

}  // namespace

const luaL_Reg kTensorRepackers[] = {{"unpack_fields", torch_guard<unpack_fields>},
                                     {"unpack_stream", torch_guard<unpack_stream>},
                                     {"pack_stream", torch_guard<pack_stream>},
                                     {"transpose_words", torch_guard<transpose_words>},
                                     {"transpose_fields", torch_guard<transpose_fields>},
                                     {"exponents", torch_guard<exponents>},
                                     {nullptr, nullptr}};

}  // namespace qspec::lua
