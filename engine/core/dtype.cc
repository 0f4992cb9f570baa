#include "engine/core/dtype.h"

#include <array>

namespace qspec {
namespace {

// Names and widths: safetensors, `tensor.rs`, enum Dtype; torch 2.11, c10/core/ScalarType.h; for
// ggml's blocks gguf 0.19, GGML_QUANT_SIZES.
constexpr std::array<DtypeInfo, kDtypeCount> kTable = {{
    {Dtype::kBool, "BOOL", "bool", 1, 1, false},
    {Dtype::kF4, "F4", "float4_e2m1fn_x2", 2, 1, true},
    {Dtype::kF6E2M3, "F6_E2M3", "float6_e2m3", 4, 3, true},
    {Dtype::kF6E3M2, "F6_E3M2", "float6_e3m2", 4, 3, true},
    {Dtype::kU8, "U8", "uint8", 1, 1, false},
    {Dtype::kI8, "I8", "int8", 1, 1, false},
    {Dtype::kF8E5M2, "F8_E5M2", "float8_e5m2", 1, 1, true},
    {Dtype::kF8E4M3, "F8_E4M3", "float8_e4m3fn", 1, 1, true},
    {Dtype::kF8E8M0, "F8_E8M0", "float8_e8m0fnu", 1, 1, true},
    {Dtype::kF8E4M3Fnuz, "F8_E4M3FNUZ", "float8_e4m3fnuz", 1, 1, true},
    {Dtype::kF8E5M2Fnuz, "F8_E5M2FNUZ", "float8_e5m2fnuz", 1, 1, true},
    {Dtype::kI16, "I16", "int16", 1, 2, false},
    {Dtype::kU16, "U16", "uint16", 1, 2, false},
    {Dtype::kF16, "F16", "float16", 1, 2, true},
    {Dtype::kBF16, "BF16", "bfloat16", 1, 2, true},
    {Dtype::kI32, "I32", "int32", 1, 4, false},
    {Dtype::kU32, "U32", "uint32", 1, 4, false},
    {Dtype::kF32, "F32", "float32", 1, 4, true},
    {Dtype::kC64, "C64", "complex64", 1, 8, true},
    {Dtype::kF64, "F64", "float64", 1, 8, true},
    {Dtype::kI64, "I64", "int64", 1, 8, false},
    {Dtype::kU64, "U64", "uint64", 1, 8, false},
    {Dtype::kQ4_0, "Q4_0", "q4_0", 32, 18, true},
    {Dtype::kQ4_1, "Q4_1", "q4_1", 32, 20, true},
    {Dtype::kQ5_0, "Q5_0", "q5_0", 32, 22, true},
    {Dtype::kQ5_1, "Q5_1", "q5_1", 32, 24, true},
    {Dtype::kQ8_0, "Q8_0", "q8_0", 32, 34, true},
    {Dtype::kQ8_1, "Q8_1", "q8_1", 32, 40, true},
    {Dtype::kQ2K, "Q2_K", "q2_k", 256, 84, true},
    {Dtype::kQ3K, "Q3_K", "q3_k", 256, 110, true},
    {Dtype::kQ4K, "Q4_K", "q4_k", 256, 144, true},
    {Dtype::kQ5K, "Q5_K", "q5_k", 256, 176, true},
    {Dtype::kQ6K, "Q6_K", "q6_k", 256, 210, true},
    {Dtype::kQ8K, "Q8_K", "q8_k", 256, 292, true},
    {Dtype::kIq2Xxs, "IQ2_XXS", "iq2_xxs", 256, 66, true},
    {Dtype::kIq2Xs, "IQ2_XS", "iq2_xs", 256, 74, true},
    {Dtype::kIq2S, "IQ2_S", "iq2_s", 256, 82, true},
    {Dtype::kIq3Xxs, "IQ3_XXS", "iq3_xxs", 256, 98, true},
    {Dtype::kIq3S, "IQ3_S", "iq3_s", 256, 110, true},
    {Dtype::kIq1S, "IQ1_S", "iq1_s", 256, 50, true},
    {Dtype::kIq1M, "IQ1_M", "iq1_m", 256, 56, true},
    {Dtype::kIq4Nl, "IQ4_NL", "iq4_nl", 32, 18, true},
    {Dtype::kIq4Xs, "IQ4_XS", "iq4_xs", 256, 136, true},
    {Dtype::kTq1_0, "TQ1_0", "tq1_0", 256, 54, true},
    {Dtype::kTq2_0, "TQ2_0", "tq2_0", 256, 66, true},
    {Dtype::kMxfp4, "MXFP4", "mxfp4", 32, 17, true},
    {Dtype::kNvfp4, "NVFP4", "nvfp4", 64, 36, true},
    {Dtype::kQ1_0, "Q1_0", "q1_0", 128, 18, true},
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
