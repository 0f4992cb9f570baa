#include "engine/core/dtype.h"

#include <array>

namespace qspec {
namespace {

// Names and widths: safetensors, `tensor.rs`, enum Dtype; torch 2.11, c10/core/ScalarType.h.
constexpr std::array<DtypeInfo, 22> kTable = {{
    {Dtype::kBool, "BOOL", "bool", 8, false},
    {Dtype::kF4, "F4", "float4_e2m1fn_x2", 4, true},
    {Dtype::kF6E2M3, "F6_E2M3", "float6_e2m3", 6, true},
    {Dtype::kF6E3M2, "F6_E3M2", "float6_e3m2", 6, true},
    {Dtype::kU8, "U8", "uint8", 8, false},
    {Dtype::kI8, "I8", "int8", 8, false},
    {Dtype::kF8E5M2, "F8_E5M2", "float8_e5m2", 8, true},
    {Dtype::kF8E4M3, "F8_E4M3", "float8_e4m3fn", 8, true},
    {Dtype::kF8E8M0, "F8_E8M0", "float8_e8m0fnu", 8, true},
    {Dtype::kF8E4M3Fnuz, "F8_E4M3FNUZ", "float8_e4m3fnuz", 8, true},
    {Dtype::kF8E5M2Fnuz, "F8_E5M2FNUZ", "float8_e5m2fnuz", 8, true},
    {Dtype::kI16, "I16", "int16", 16, false},
    {Dtype::kU16, "U16", "uint16", 16, false},
    {Dtype::kF16, "F16", "float16", 16, true},
    {Dtype::kBF16, "BF16", "bfloat16", 16, true},
    {Dtype::kI32, "I32", "int32", 32, false},
    {Dtype::kU32, "U32", "uint32", 32, false},
    {Dtype::kF32, "F32", "float32", 32, true},
    {Dtype::kC64, "C64", "complex64", 64, true},
    {Dtype::kF64, "F64", "float64", 64, true},
    {Dtype::kI64, "I64", "int64", 64, false},
    {Dtype::kU64, "U64", "uint64", 64, false},
}};

std::optional<Dtype> find(std::string_view name, std::string_view DtypeInfo::*field) {
  for (const DtypeInfo& row : kTable) {
    if (row.*field == name) return row.dtype;
  }
  return std::nullopt;
}

}  // namespace

const DtypeInfo& info(Dtype dtype) {
  return kTable.at(static_cast<size_t>(dtype));
}

std::optional<Dtype> dtype_of_stored_name(std::string_view name) {
  return find(name, &DtypeInfo::stored_name);
}

std::optional<Dtype> dtype_of_torch_name(std::string_view name) {
  return find(name, &DtypeInfo::torch_name);
}

}  // namespace qspec
