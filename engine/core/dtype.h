#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace qspec {

// Element types that a checkpoint can store. The order is that of the table in dtype.cc. From kQ4_0
// on they are ggml's, which only GGUF files have: blocks of codes with their scales among them.
enum class Dtype : uint8_t {
  kBool,
  kF4,
  kF6E2M3,
  kF6E3M2,
  kU8,
  kI8,
  kF8E5M2,
  kF8E4M3,
  kF8E8M0,
  kF8E4M3Fnuz,
  kF8E5M2Fnuz,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kC64,
  kF64,
  kI64,
  kU64,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ8_1,
  kQ2K,
  kQ3K,
  kQ4K,
  kQ5K,
  kQ6K,
  kQ8K,
  kIq2Xxs,
  kIq2Xs,
  kIq2S,
  kIq3Xxs,
  kIq3S,
  kIq1S,
  kIq1M,
  kIq4Nl,
  kIq4Xs,
  kTq1_0,
  kTq2_0,
  kMxfp4,
  kNvfp4,
  kQ1_0,
};

inline constexpr size_t kDtypeCount = static_cast<size_t>(Dtype::kQ1_0) + 1;

struct DtypeInfo {
  Dtype dtype;
  std::string_view stored_name;  // as safetensors writes it: "F16"
  std::string_view torch_name;   // as torch prints it, without "torch.": "float16"
  // So many elements are stored in so many bytes: 1 in its own size, 2 of 4 bits in 1.
  uint32_t block_elements;
  uint32_t block_bytes;
  bool is_float;
};

const DtypeInfo& info(Dtype dtype);

// Whether it is one of ggml's blocks.
constexpr bool is_ggml_block(Dtype dtype) {
  return dtype >= Dtype::kQ4_0;
}

std::optional<Dtype> dtype_of_stored_name(std::string_view name);
std::optional<Dtype> dtype_of_torch_name(std::string_view name);

}  // namespace qspec
