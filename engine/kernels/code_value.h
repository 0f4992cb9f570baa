#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "engine/kernels/both.h"

namespace qspec::cuda {

QSPEC_BOTH inline float float_of_bits(uint32_t bits) {
#if defined(__CUDA_ARCH__)
  return __uint_as_float(bits);
#else
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
#endif
}

// A float8_e4m3fn. Its exponent and fraction, moved to those of a float, stand for its value times
// 2^-120, subnormal numbers included; the product is exact.
QSPEC_BOTH inline float e4m3_value(uint32_t code) {
  const uint32_t magnitude = code & 0x7f, sign = (code & 0x80) << 24;
  if (magnitude == 0x7f) return float_of_bits(sign | 0x7fc00000u);
  return float_of_bits(sign | magnitude << 20) * 0x1p120f;
}

// Two's complement of 8 bits.
QSPEC_BOTH inline float signed_value(uint32_t code) {
  return static_cast<float>(static_cast<int8_t>(code));
}

}  // namespace qspec::cuda
