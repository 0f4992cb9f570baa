#pragma once

#include <cstdint>

#include "engine/core/dtype.h"
#include "engine/kernels/both.h"
#include "engine/kernels/code_value.h"
#if defined(__CUDACC__)
#include <cuda_fp16.h>
#endif
#include "engine/tensor/kernels.h"

// ggml's blocks, eight elements at a time: what one thread of a GPU decodes. Each type says how
// many elements and bytes a block has, and eight(block, first, to) writes elements first to first +
// 7; `first` is a multiple of 8. The arithmetic is that of engine/tensor/ggml_*.h.
namespace qspec::cuda::ggml {

QSPEC_BOTH inline float half_value(uint32_t bits) {
#if defined(__CUDA_ARCH__)
  return __half2float(__ushort_as_half(static_cast<unsigned short>(bits)));
#else
  const auto half = static_cast<uint16_t>(bits);
  float value;
  kernels(Simd::kPlain).half_to_float(&half, 1, &value);
  return value;
#endif
}

QSPEC_BOTH inline uint32_t word16(const uint8_t* bytes) {
  return static_cast<uint32_t>(bytes[0] | bytes[1] << 8);
}

// The same from an even address, at once.
QSPEC_BOTH inline uint32_t pair_of_bytes(const uint8_t* bytes) {
#if defined(__CUDA_ARCH__)
  return __ldg(reinterpret_cast<const uint16_t*>(bytes));
#else
  return word16(bytes);
#endif
}

QSPEC_BOTH inline uint32_t word32(const uint8_t* bytes) {
  return word16(bytes) | word16(bytes + 2) << 16;
}

QSPEC_BOTH inline float half_at(const uint8_t* bytes) {
  return half_value(word16(bytes));
}

// Eight bytes; `kEven` where they begin at an even address.
template <bool kEven>
QSPEC_BOTH inline uint64_t eight_bytes(const uint8_t* bytes) {
  uint64_t all = 0;
  if constexpr (kEven) {
    for (int i = 0; i < 4; ++i) all |= uint64_t{pair_of_bytes(bytes + 2 * i)} << 16 * i;
  } else {
    for (int i = 0; i < 8; ++i) all |= uint64_t{bytes[i]} << 8 * i;
  }
  return all;
}

QSPEC_BOTH inline uint32_t byte_of(uint64_t bytes, int i) {
  return static_cast<uint32_t>(bytes >> 8 * i) & 255;
}

QSPEC_BOTH inline float product(float a, float b) {
#if defined(__CUDA_ARCH__)
  return __fmul_rn(a, b);
#else
  return a * b;
#endif
}

QSPEC_BOTH inline float difference(float a, float b) {
#if defined(__CUDA_ARCH__)
  return __fsub_rn(a, b);
#else
  return a - b;
#endif
}

QSPEC_BOTH inline float as_float(int x) {
  return static_cast<float>(x);
}

// Nibbles of 16 bytes: elements 0 to 15 are the low ones, 16 to 31 the high ones.
template <bool kEven>
QSPEC_BOTH inline uint64_t nibbles_of_32(const uint8_t* bytes, int first) {
  const uint64_t eight = eight_bytes<kEven>(bytes + first % 16);
  return eight >> (first < 16 ? 0 : 4) & 0x0f0f0f0f0f0f0f0fu;
}

struct Q4_0 {
  static constexpr int kElements = 32, kBytes = 18;
  QSPEC_BOTH static void eight(const uint8_t* block, int first, float* to) {
    const float d = half_at(block);
    const uint64_t codes = nibbles_of_32<true>(block + 2, first);
    for (int i = 0; i < 8; ++i)
      to[i] = product(d, as_float(static_cast<int>(byte_of(codes, i)) - 8));
  }
};

struct Q4_1 {
  static constexpr int kElements = 32, kBytes = 20;
  QSPEC_BOTH static void eight(const uint8_t* block, int first, float* to) {
    const float d = half_at(block), m = half_at(block + 2);
    const uint64_t codes = nibbles_of_32<true>(block + 4, first);
    for (int i = 0; i < 8; ++i) {
      to[i] = difference(product(d, as_float(static_cast<int>(byte_of(codes, i)))), -m);
    }
  }
};

// The fifth bits of all elements are together in 4 bytes.
QSPEC_BOTH inline int with_fifth(uint64_t codes, uint32_t fifths, int first, int i) {
  return static_cast<int>(byte_of(codes, i) | (fifths >> (first + i) & 1) << 4);
}

struct Q5_0 {
  static constexpr int kElements = 32, kBytes = 22;
  QSPEC_BOTH static void eight(const uint8_t* block, int first, float* to) {
    const float d = half_at(block);
    const uint32_t fifths = word32(block + 2);
    const uint64_t codes = nibbles_of_32<true>(block + 6, first);
    for (int i = 0; i < 8; ++i) {
      to[i] = product(d, as_float(with_fifth(codes, fifths, first, i) - 16));
    }
  }
};

struct Q5_1 {
  static constexpr int kElements = 32, kBytes = 24;
  QSPEC_BOTH static void eight(const uint8_t* block, int first, float* to) {
    const float d = half_at(block), m = half_at(block + 2);
    const uint32_t fifths = word32(block + 4);
    const uint64_t codes = nibbles_of_32<true>(block + 8, first);
    for (int i = 0; i < 8; ++i) {
      to[i] = difference(product(d, as_float(with_fifth(codes, fifths, first, i))), -m);
    }
  }
};

QSPEC_BOTH inline void scale_signed(uint64_t codes, float d, float* to) {
  for (int i = 0; i < 8; ++i) to[i] = product(d, signed_value(byte_of(codes, i)));
}

struct Q8_0 {
  static constexpr int kElements = 32, kBytes = 34;
  QSPEC_BOTH static void eight(const uint8_t* block, int first, float* to) {
    scale_signed(eight_bytes<true>(block + 2 + first), half_at(block), to);
  }
};

struct Q2K {
  static constexpr int kElements = 256, kBytes = 84;
  QSPEC_BOTH static void eight(const uint8_t* block, int first, float* to) {
    const int part = first / 16;
    const float scale = product(half_at(block + 80), as_float(block[part] & 15));
    const float shift = product(half_at(block + 82), as_float(block[part] >> 4));
    const uint8_t* q = block + 16 + 32 * (part / 8) + 16 * (part % 2) + first % 16;
    const uint64_t codes = eight_bytes<true>(q) >> 2 * (part / 2 % 4) & 0x0303030303030303u;
    for (int i = 0; i < 8; ++i) {
      to[i] = difference(product(scale, as_float(static_cast<int>(byte_of(codes, i)))), shift);
    }
  }
};

struct Q3K {
  static constexpr int kElements = 256, kBytes = 110;
  // Scales of 6 bits, less 32: the low nibbles of 8 bytes, their high ones, and pairs of bits.
  QSPEC_BOTH static int scale(const uint8_t* scales, int part) {
    const int low = scales[part % 8] >> 4 * (part / 8) & 15;
    return (low | (scales[8 + part % 4] >> 2 * (part / 4) & 3) << 4) - 32;
  }
  QSPEC_BOTH static void eight(const uint8_t* block, int first, float* to) {
    const int part = first / 16, within = 16 * (part % 2) + first % 16;
    const float d = product(half_at(block + 108), as_float(scale(block + 96, part)));
    const uint64_t high = eight_bytes<true>(block + within) >> part / 2 & 0x0101010101010101u;
    const uint64_t low =
        eight_bytes<true>(block + 32 + 32 * (part / 8) + within) >> 2 * (part / 2 % 4) &
        0x0303030303030303u;
    const uint64_t codes = low | high << 2;  // the third bit, not set: 4 less
    for (int i = 0; i < 8; ++i)
      to[i] = product(d, as_float(static_cast<int>(byte_of(codes, i)) - 4));
  }
};

struct ScaleAndShift {
  float scale, shift;
};

// Of part 0 to 7 of a Q4_K or Q5_K: 6 bits each, in 12 bytes.
QSPEC_BOTH inline ScaleAndShift scale_and_shift(const uint8_t* block, int part) {
  const uint8_t* s = block + 4;
  const int i = part % 4;
  const int scale = part < 4 ? s[i] & 63 : (s[i + 8] & 15) | (s[i] >> 2 & 48);
  const int shift = part < 4 ? s[i + 4] & 63 : s[i + 8] >> 4 | (s[i + 4] >> 2 & 48);
  return {product(half_at(block), as_float(scale)), product(half_at(block + 2), as_float(shift))};
}

QSPEC_BOTH inline void scale_shifted(uint64_t codes, ScaleAndShift by, float* to) {
  for (int i = 0; i < 8; ++i) {
    to[i] = difference(product(by.scale, as_float(static_cast<int>(byte_of(codes, i)))), by.shift);
  }
}

struct Q4K {
  static constexpr int kElements = 256, kBytes = 144;
  QSPEC_BOTH static void eight(const uint8_t* block, int first, float* to) {
    const int part = first / 32;
    const uint64_t q = eight_bytes<true>(block + 16 + 32 * (part / 2) + first % 32);
    scale_shifted(q >> 4 * (part % 2) & 0x0f0f0f0f0f0f0f0fu, scale_and_shift(block, part), to);
  }
};

struct Q5K {
  static constexpr int kElements = 256, kBytes = 176;
  QSPEC_BOTH static void eight(const uint8_t* block, int first, float* to) {
    const int part = first / 32;
    const uint64_t high = eight_bytes<true>(block + 16 + first % 32) >> part & 0x0101010101010101u;
    const uint64_t q = eight_bytes<true>(block + 48 + 32 * (part / 2) + first % 32);
    const uint64_t low = q >> 4 * (part % 2) & 0x0f0f0f0f0f0f0f0fu;
    scale_shifted(low | high << 4, scale_and_shift(block, part), to);
  }
};

struct Q6K {
  static constexpr int kElements = 256, kBytes = 210;
  QSPEC_BOTH static void eight(const uint8_t* block, int first, float* to) {
    const int part = first / 16, within = 16 * (part % 2) + first % 16;
    const float scale = product(half_at(block + 208), signed_value(block[192 + part]));
    const uint64_t q = eight_bytes<true>(block + 64 * (part / 8) + 32 * (part / 2 % 2) + within);
    const uint64_t low = q >> 4 * (part / 4 % 2) & 0x0f0f0f0f0f0f0f0fu;
    const uint64_t high =
        eight_bytes<true>(block + 128 + 32 * (part / 8) + within) >> 2 * (part / 2 % 4) &
        0x0303030303030303u;
    const uint64_t codes = low | high << 4;
    for (int i = 0; i < 8; ++i) {
      to[i] = product(scale, as_float(static_cast<int>(byte_of(codes, i)) - 32));
    }
  }
};

struct Q8K {
  static constexpr int kElements = 256, kBytes = 292;
  QSPEC_BOTH static void eight(const uint8_t* block, int first, float* to) {
    scale_signed(eight_bytes<true>(block + 4 + first), float_of_bits(word32(block)), to);
  }
};

// What the codes of IQ4_NL and IQ4_XS stand for, and twice what those of e2m1 do: a byte each.
QSPEC_BOTH inline float iq4_value(uint32_t code) {
  constexpr uint64_t kLow = 0xf6eaddcfbfad9881u, kHigh = 0x7159453526190d01u;
  return signed_value(static_cast<uint32_t>((code < 8 ? kLow : kHigh) >> 8 * (code & 7)) & 255);
}

QSPEC_BOTH inline float e2m1_doubled(uint32_t code) {
  constexpr uint64_t kMagnitudes = 0x0c08060403020100u;
  const auto magnitude = static_cast<int>(kMagnitudes >> 8 * (code & 7) & 255);
  return as_float(code < 8 ? magnitude : -magnitude);
}

struct Iq4Nl {
  static constexpr int kElements = 32, kBytes = 18;
  QSPEC_BOTH static void eight(const uint8_t* block, int first, float* to) {
    const float d = half_at(block);
    const uint64_t codes = nibbles_of_32<true>(block + 2, first);
    for (int i = 0; i < 8; ++i) to[i] = product(d, iq4_value(byte_of(codes, i)));
  }
};

struct Iq4Xs {
  static constexpr int kElements = 256, kBytes = 136;
  QSPEC_BOTH static void eight(const uint8_t* block, int first, float* to) {
    const int part = first / 32;
    const int low = block[4 + part / 2] >> 4 * (part % 2) & 15;
    const int high = static_cast<int>(word16(block + 2) >> 2 * part & 3);
    const float scale = product(half_at(block), as_float((low | high << 4) - 32));
    const uint64_t codes = nibbles_of_32<true>(block + 8 + 16 * part, first % 32);
    for (int i = 0; i < 8; ++i) to[i] = product(scale, iq4_value(byte_of(codes, i)));
  }
};

struct Mxfp4 {
  static constexpr int kElements = 32, kBytes = 17;
  QSPEC_BOTH static void eight(const uint8_t* block, int first, float* to) {
    const uint32_t e = block[0];  // half of 2^(e - 127)
    const float d = float_of_bits(e < 2 ? 0x00200000u << e : (e - 1) << 23);
    const uint64_t codes = nibbles_of_32<false>(block + 1, first);
    for (int i = 0; i < 8; ++i) to[i] = product(d, e2m1_doubled(byte_of(codes, i)));
  }
};

struct Tq2_0 {
  static constexpr int kElements = 256, kBytes = 66;
  QSPEC_BOTH static void eight(const uint8_t* block, int first, float* to) {
    const int part = first / 32;
    const uint64_t q = eight_bytes<true>(block + 32 * (part / 4) + first % 32);
    const uint64_t codes = q >> 2 * (part % 4) & 0x0303030303030303u;
    const float d = half_at(block + 64);
    for (int i = 0; i < 8; ++i)
      to[i] = product(d, as_float(static_cast<int>(byte_of(codes, i)) - 1));
  }
};

// Calls body with a value of the type of `dtype`; false when there is none here.
template <class Body>
bool with_type(Dtype dtype, const Body& body) {
  switch (dtype) {
    case Dtype::kQ4_0:
      return body(Q4_0{}), true;
    case Dtype::kQ4_1:
      return body(Q4_1{}), true;
    case Dtype::kQ5_0:
      return body(Q5_0{}), true;
    case Dtype::kQ5_1:
      return body(Q5_1{}), true;
    case Dtype::kQ8_0:
      return body(Q8_0{}), true;
    case Dtype::kQ2K:
      return body(Q2K{}), true;
    case Dtype::kQ3K:
      return body(Q3K{}), true;
    case Dtype::kQ4K:
      return body(Q4K{}), true;
    case Dtype::kQ5K:
      return body(Q5K{}), true;
    case Dtype::kQ6K:
      return body(Q6K{}), true;
    case Dtype::kQ8K:
      return body(Q8K{}), true;
    case Dtype::kIq4Nl:
      return body(Iq4Nl{}), true;
    case Dtype::kIq4Xs:
      return body(Iq4Xs{}), true;
    case Dtype::kMxfp4:
      return body(Mxfp4{}), true;
    case Dtype::kTq2_0:
      return body(Tq2_0{}), true;
    default:
      return false;
  }
}

}  // namespace qspec::cuda::ggml
