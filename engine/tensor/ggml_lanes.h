// What the decoders of ggml's blocks share. Compiled once for each instruction set, so everything
// is local to the file that includes it, and nothing of the standard library's templates is called.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/core/dtype.h"
#include "engine/tensor/ggml_bytes16.h"

namespace qspec {
namespace {

inline uint32_t word16(const uint8_t* bytes) {
  return static_cast<uint32_t>(bytes[0] | bytes[1] << 8);
}

inline uint32_t word32(const uint8_t* bytes) {
  return word16(bytes) | word16(bytes + 2) << 16;
}

inline uint64_t word64(const uint8_t* bytes) {
  return word32(bytes) | uint64_t{word32(bytes + 4)} << 32;
}

inline float float_of_bits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

#if defined(__F16C__)

inline float float_of_half_bits(uint32_t half) {
  return _cvtsh_ss(static_cast<uint16_t>(half));
}

#else

inline float float_of_half_bits(uint32_t half) {
  const uint32_t sign = (half & 0x8000u) << 16;
  const uint32_t exponent = half >> 10 & 0x1f;
  const uint32_t fraction = half & 0x3ff;
  if (exponent == 0) {  // zero, or a multiple of 2^-24
    const float magnitude = static_cast<float>(static_cast<int32_t>(fraction)) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  if (exponent == 0x1f) return float_of_bits(sign | 0x7f800000u | fraction << 13);
  return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

#endif

inline float half_at(const uint8_t* bytes) {
  return float_of_half_bits(word16(bytes));
}

// Half of 2^(e - 127), which the doubled codes make up for.
inline float half_of_exponent(uint32_t e) {
  return float_of_bits(e < 2 ? 0x00200000u << e : (e - 1) << 23);
}

// Half of a float8_e4m3fn without its sign; NaN is taken for 0.
inline float half_of_e4m3(uint32_t code) {
  if (code == 0x7f) return 0;
  const uint32_t exponent = code >> 3 & 15;
  const auto fraction = static_cast<float>(static_cast<int32_t>(code & 7));
  if (exponent == 0) return fraction * 0x1p-10f;
  return (1 + fraction / 8) * float_of_bits((exponent + 119) << 23);
}

// Bytes to fetch ahead: the arithmetic between two reads is too long for the processor to foresee
// the next one.
constexpr int kAhead = 2048;

// Calls decode(block, to) for each block of the dtype.
template <int kElements, int kBytes, void (*kDecode)(const uint8_t*, float*)>
void each_block(const uint8_t* blocks, size_t count, float* to) {
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* block = blocks + i * kBytes;
    for (int line = 0; line < kBytes; line += 64) __builtin_prefetch(block + kAhead + line);
    kDecode(block, to + i * kElements);
  }
}

}  // namespace
}  // namespace qspec
