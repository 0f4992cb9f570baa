#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace qspec {

// Element types that a checkpoint can store. The order is that of the table in dtype.cc.
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
};

struct DtypeInfo {
  Dtype dtype;
  std::string_view stored_name;  // as safetensors writes it: "F16"
  std::string_view torch_name;   // as torch prints it, without "torch.": "float16"
  uint32_t bits;                 // per element; 4 and 6 bit types are packed without padding
  bool is_float;
};

const DtypeInfo& info(Dtype dtype);
std::optional<Dtype> dtype_of_stored_name(std::string_view name);
std::optional<Dtype> dtype_of_torch_name(std::string_view name);

}  // namespace qspec
