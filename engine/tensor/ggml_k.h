// ggml's k-quants: blocks of 256 in parts of 16 or 32, whose scales are quantized too; and the
// ternary blocks. See ggml_lanes.h.

#pragma once

#include "engine/tensor/ggml_lanes.h"

namespace qspec {
namespace {

void decode_q2_k(const uint8_t* block, float* __restrict to) {
  const uint8_t* scales = block;
  const float d = half_at(block + 80), least = half_at(block + 82);
  for (int part = 0; part < 16; ++part) {
    const float scale = d * static_cast<float>(scales[part] & 15);
    const float shift = least * static_cast<float>(scales[part] >> 4);
    const uint8_t* q = block + 16 + 32 * (part / 8) + 16 * (part % 2);
    const int by = 2 * (part / 2 % 4);
    scale16(field16(load16(q), by, 3), scale, shift, to + 16 * part);
  }
}

// Scales of 6 bits, less 32: the low nibbles of 8 bytes, their high ones, and pairs of bits.
int scale3(const uint8_t* scales, int part) {
  const int low = scales[part % 8] >> 4 * (part / 8) & 15;
  const int high = scales[8 + part % 4] >> 2 * (part / 4) & 3;
  return (low | high << 4) - 32;
}

void decode_q3_k(const uint8_t* block, float* __restrict to) {
  const float d = half_at(block + 108);
  for (int part = 0; part < 16; ++part) {
    const float scale = d * static_cast<float>(scale3(block + 96, part));
    const uint8_t* high = block + 16 * (part % 2);
    const uint8_t* q = block + 32 + 32 * (part / 8) + 16 * (part % 2);
    const int by = 2 * (part / 2 % 4), bit = part / 2;
    const Bytes16 third = field16(load16(high), bit, 1);  // not set: 4 less
    scale16(minus16(joined16(field16(load16(q), by, 3), third, 2), 4), scale, to + 16 * part);
  }
}

struct ScaleAndShift {
  float scale[8];
  float shift[8];
};

// Scales and shifts of 6 bits in 12 bytes.
ScaleAndShift scales_and_shifts(const uint8_t* block) {
  const float d = half_at(block), least = half_at(block + 2);
  const uint8_t* s = block + 4;
  ScaleAndShift parts;
  for (int i = 0; i < 4; ++i) {
    parts.scale[i] = d * static_cast<float>(s[i] & 63);
    parts.shift[i] = least * static_cast<float>(s[i + 4] & 63);
    parts.scale[i + 4] = d * static_cast<float>((s[i + 8] & 15) | (s[i] >> 2 & 48));
    parts.shift[i + 4] = least * static_cast<float>(s[i + 8] >> 4 | (s[i + 4] >> 2 & 48));
  }
  return parts;
}

void decode_q4_k(const uint8_t* block, float* __restrict to) {
  const ScaleAndShift parts = scales_and_shifts(block);
  for (int part = 0; part < 8; ++part) {
    const uint8_t* q = block + 16 + 32 * (part / 2);
    const float scale = parts.scale[part], shift = parts.shift[part];
    const int by = 4 * (part % 2);
    scale16(field16(load16(q), by, 15), scale, shift, to + 32 * part);
    scale16(field16(load16(q + 16), by, 15), scale, shift, to + 32 * part + 16);
  }
}

void decode_q5_k(const uint8_t* block, float* __restrict to) {
  const ScaleAndShift parts = scales_and_shifts(block);
  const uint8_t* fifth = block + 16;
  for (int part = 0; part < 8; ++part) {
    const uint8_t* q = block + 48 + 32 * (part / 2);
    const float scale = parts.scale[part], shift = parts.shift[part];
    const int by = 4 * (part % 2);
    for (int i = 0; i < 32; i += 16) {
      const Bytes16 high = field16(load16(fifth + i), part, 1);
      const Bytes16 codes = joined16(field16(load16(q + i), by, 15), high, 4);
      scale16(codes, scale, shift, to + 32 * part + i);
    }
  }
}

void decode_q6_k(const uint8_t* block, float* __restrict to) {
  const auto* scales = reinterpret_cast<const int8_t*>(block + 192);
  const float d = half_at(block + 208);
  for (int part = 0; part < 16; ++part) {
    const float scale = d * static_cast<float>(scales[part]);
    const uint8_t* low = block + 64 * (part / 8) + 32 * (part / 2 % 2) + 16 * (part % 2);
    const uint8_t* high = block + 128 + 32 * (part / 8) + 16 * (part % 2);
    const int low_by = 4 * (part / 4 % 2), high_by = 2 * (part / 2 % 4);
    const Bytes16 top = field16(load16(high), high_by, 3);
    const Bytes16 codes = joined16(field16(load16(low), low_by, 15), top, 4);
    scale16(minus16(codes, 32), scale, to + 16 * part);
  }
}

// A scale in fp32, and sums of codes that decoding does not need.
void decode_q8_k(const uint8_t* block, float* __restrict to) {
  const float d = float_of_bits(word32(block));
  for (int i = 0; i < 256; i += 16) scale16(load16(block + 4 + i), d, to + i);
}

// Five ternary digits in a byte, as a fraction of 256: the digit is what three times it carries.
template <int kBytes, int kDigits>
void ternary(const uint8_t* q, float d, float* __restrict to) {
  int power = 1;
  for (int digit = 0; digit < kDigits; ++digit, power *= 3) {
    for (int i = 0; i < kBytes; ++i) {
      const int rest = q[i] * power & 255;
      to[kBytes * digit + i] = d * static_cast<float>((rest * 3 >> 8) - 1);
    }
  }
}

void decode_tq1_0(const uint8_t* block, float* __restrict to) {
  const float d = half_at(block + 52);
  ternary<32, 5>(block, d, to);
  ternary<16, 5>(block + 32, d, to + 160);
  ternary<4, 4>(block + 48, d, to + 240);
}

void decode_tq2_0(const uint8_t* block, float* __restrict to) {
  const float d = half_at(block + 64);
  for (int part = 0; part < 8; ++part) {
    const uint8_t* q = block + 32 * (part / 4);
    const int by = 2 * (part % 4);
    for (int i = 0; i < 32; i += 16) {
      scale16(minus16(field16(load16(q + i), by, 3), 1), d, to + 32 * part + i);
    }
  }
}

}  // namespace
}  // namespace qspec
