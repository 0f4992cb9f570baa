// Functions of host.tensor that quantize, and that decode without a packed weight.

#include "bindings/torch/tensor_arguments.h"
#include "bindings/torch/tensor_handle.h"
#include "bindings/torch/tensor_methods.h"
#include "bindings/torch/torch_boundary.h"
#include "engine/tensor/codebook4.h"
#include "engine/tensor/codebook8.h"
#include "engine/tensor/rowwise8.h"

namespace qspec::lua {
namespace {

void set_tensor(lua_State* L, const char* key, at::Tensor tensor) {
  push_tensor(L, std::move(tensor));
  lua_setfield(L, -2, key);
}

// Field `key` of the table at 2 as a list; empty when it is absent.
std::vector<double> numbers_field(lua_State* L, const char* key) {
  lua_getfield(L, 2, key);
  std::vector<double> numbers;
  if (!lua_isnil(L, -1)) numbers = check_numbers(L, lua_gettop(L));
  lua_pop(L, 1);
  return numbers;
}

bool flag_field(lua_State* L, const char* key) {
  lua_getfield(L, 2, key);
  const bool flag = !lua_isnil(L, -1) && check_boolean(L, lua_gettop(L));
  lua_pop(L, 1);
  return flag;
}

CodeRule rule_at_2(lua_State* L) {
  std::vector<uint32_t> codes;
  for (const double code : numbers_field(L, "codes")) {
    codes.push_back(code >= 0 && code < 16 ? static_cast<uint32_t>(code) : 16);
  }
  return code_rule(numbers_field(L, "thresholds"), codes, flag_field(L, "magnitude"));
}

// tensor.quantize_codebook4(weight, {thresholds, [magnitude, codes], block_size})
int quantize4(lua_State* L) {
  check_table(L, 2);
  Quantized4 result = quantize_codebook4(check_tensor_anywhere(L, 1), rule_at_2(L),
                                         integer_field(L, 2, "block_size"));
  lua_createtable(L, 0, 2);
  set_tensor(L, "packed", std::move(result.packed));
  set_tensor(L, "absmax", std::move(result.absmax));
  return 1;
}

// tensor.quantize_codebook8(values, codebook, block_size)
int quantize8(lua_State* L) {
  Quantized8 result =
      quantize_codebook8(check_tensor(L, 1), check_tensor(L, 2), check_integer(L, 3));
  lua_createtable(L, 0, 2);
  set_tensor(L, "codes", std::move(result.codes));
  set_tensor(L, "absmax", std::move(result.absmax));
  return 1;
}

// tensor.quantize_rowwise_int8(weight)
int quantize_rowwise(lua_State* L) {
  Rowwise8 result = quantize_rowwise_int8(check_tensor_anywhere(L, 1));
  lua_createtable(L, 0, 2);
  set_tensor(L, "codes", std::move(result.codes));
  set_tensor(L, "absmax", std::move(result.absmax));
  return 1;
}

// tensor.dequantize_codebook8 {codes, codebook, absmax, block_size}
int dequantize8(lua_State* L) {
  check_table(L, 1);
  push_tensor(
      L, dequantize_codebook8(tensor_field(L, 1, "codes"), tensor_field(L, 1, "codebook"),
                              tensor_field(L, 1, "absmax"), integer_field(L, 1, "block_size")));
  return 1;
}

int dynamic_codebook(lua_State* L) {
  push_tensor(L, dynamic_codebook_tensor());
  return 1;
}

}  // namespace

const luaL_Reg kTensorQuantizers[] = {{"quantize_codebook4", torch_guard<quantize4>},
                                      {"quantize_codebook8", torch_guard<quantize8>},
                                      {"quantize_rowwise_int8", torch_guard<quantize_rowwise>},
                                      {"dequantize_codebook8", torch_guard<dequantize8>},
                                      {"dynamic_codebook", torch_guard<dynamic_codebook>},
                                      {nullptr, nullptr}};

}  // namespace qspec::lua
