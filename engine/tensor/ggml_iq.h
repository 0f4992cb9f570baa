// ggml's i-quants: blocks of 256 whose groups of 8 or 4 magnitudes are entries of a grid, with
// signs apart. See ggml_lanes.h.

#pragma once

#include "engine/tensor/ggml_grids.h"
#include "engine/tensor/ggml_legacy.h"

namespace qspec {
namespace {

// The eighth sign makes their number even.
uint32_t eight_signs(uint32_t seven) {
  return seven | static_cast<uint32_t>(__builtin_parity(seven)) << 7;
}

constexpr float kGrid2Values[4] = {8, 25, 43, 0};
constexpr float kGrid3Xxs[8] = {4, 12, 20, 28, 36, 44, 52, 62};
constexpr float kGrid3S[8] = {1, 3, 5, 7, 9, 11, 13, 15};

float with_sign(float value, uint32_t signs, int i) {
  return (signs >> i & 1) != 0 ? -value : value;
}

void grid2(uint32_t entry, uint32_t signs, float scale, float* __restrict to) {
  for (int i = 0; i < 8; ++i) to[i] = with_sign(scale * kGrid2Values[entry >> 2 * i & 3], signs, i);
}

void grid3(const float* values, uint32_t entry, uint32_t signs, float scale, float* __restrict to) {
  for (int i = 0; i < 4; ++i) to[i] = with_sign(scale * values[entry >> 4 * i & 7], signs, i);
}

// (1/2 + s) / 4 of d.
float scale2(float d, uint32_t s) {
  return d * (0.5f + static_cast<float>(static_cast<int32_t>(s))) * 0.25f;
}

void decode_iq2_xxs(const uint8_t* block, float* __restrict to) {
  const float d = half_at(block);
  for (int part = 0; part < 8; ++part) {
    const uint8_t* q = block + 2 + 8 * part;
    const uint32_t rest = word32(q + 4);
    for (int i = 0; i < 4; ++i) {
      grid2(kGgmlGridIq2Xxs[q[i]], eight_signs(rest >> 7 * i & 127), scale2(d, rest >> 28),
            to + 32 * part + 8 * i);
    }
  }
}

void decode_iq2_xs(const uint8_t* block, float* __restrict to) {
  const float d = half_at(block);
  const uint8_t* scales = block + 66;
  for (int i = 0; i < 32; ++i) {
    const uint32_t q = word16(block + 2 + 2 * i);
    const uint32_t scale = scales[i / 4] >> 4 * (i / 2 % 2) & 15;
    grid2(kGgmlGridIq2Xs[q & 511], eight_signs(q >> 9), scale2(d, scale), to + 8 * i);
  }
}

void decode_iq2_s(const uint8_t* block, float* __restrict to) {
  const float d = half_at(block);
  const uint8_t *q = block + 2, *signs = block + 34, *high = block + 66, *scales = block + 74;
  for (int i = 0; i < 32; ++i) {
    const uint32_t index = q[i] | (high[i / 4] >> 2 * (i % 4) & 3u) << 8;
    const uint32_t scale = scales[i / 4] >> 4 * (i / 2 % 2) & 15;
    grid2(kGgmlGridIq2S[index], signs[i], scale2(d, scale), to + 8 * i);
  }
}

void decode_iq3_xxs(const uint8_t* block, float* __restrict to) {
  const float d = half_at(block);
  for (int part = 0; part < 8; ++part) {
    const uint8_t* q = block + 2 + 8 * part;
    const uint32_t rest = word32(block + 66 + 4 * part);
    const float scale = d * (0.5f + static_cast<float>(static_cast<int32_t>(rest >> 28))) * 0.5f;
    for (int i = 0; i < 8; ++i) {
      const uint32_t signs = eight_signs(rest >> 7 * (i / 2) & 127) >> 4 * (i % 2);
      grid3(kGrid3Xxs, kGgmlGridIq3Xxs[q[i]], signs, scale, to + 32 * part + 4 * i);
    }
  }
}

void decode_iq3_s(const uint8_t* block, float* __restrict to) {
  const float d = half_at(block);
  const uint8_t *q = block + 2, *high = block + 66, *signs = block + 74, *scales = block + 106;
  for (int i = 0; i < 64; ++i) {
    const uint32_t index = q[i] | (high[i / 8] >> i % 8 & 1u) << 8;
    const int s = scales[i / 16] >> 4 * (i / 8 % 2) & 15;
    grid3(kGrid3S, kGgmlGridIq3S[index], static_cast<uint32_t>(signs[i / 2] >> 4 * (i % 2)),
          d * static_cast<float>(1 + 2 * s), to + 4 * i);
  }
}

// -1, 0 and 1, moved by an eighth.
void grid1(uint32_t entry, bool down, float scale, float* __restrict to) {
  const float delta = down ? -0.125f : 0.125f;
  for (int i = 0; i < 8; ++i) {
    const int digit = static_cast<int>(entry >> 2 * i & 3) - 1;
    to[i] = scale * (static_cast<float>(digit) + delta);
  }
}

void decode_iq1_s(const uint8_t* block, float* __restrict to) {
  const float d = half_at(block);
  for (int part = 0; part < 8; ++part) {
    const uint8_t* q = block + 2 + 4 * part;
    const uint32_t high = word16(block + 34 + 2 * part);
    const float scale = d * static_cast<float>(static_cast<int32_t>(2 * (high >> 12 & 7) + 1));
    for (int i = 0; i < 4; ++i) {
      grid1(kGgmlGridIq1[q[i] | (high >> 3 * i & 7) << 8], (high & 0x8000) != 0, scale,
            to + 32 * part + 8 * i);
    }
  }
}

// The nibbles of d are the highest of four words of scales.
void decode_iq1_m(const uint8_t* block, float* __restrict to) {
  const uint8_t *high = block + 32, *scales = block + 48;
  uint32_t bits = 0;
  for (int i = 0; i < 4; ++i) bits |= (word16(scales + 2 * i) >> 12) << 4 * i;
  const float d = float_of_half_bits(bits);
  for (int i = 0; i < 32; ++i) {
    const uint32_t nibble = high[i / 2] >> 4 * (i % 2) & 15u;
    const uint32_t s = word16(scales + 2 * (i / 8)) >> 3 * (i / 2 % 4) & 7;
    grid1(kGgmlGridIq1[block[i] | (nibble & 7) << 8], (nibble & 8) != 0,
          d * static_cast<float>(static_cast<int32_t>(2 * s + 1)), to + 8 * i);
  }
}

void decode_iq4_xs(const uint8_t* block, float* __restrict to) {
  const float d = half_at(block);
  const uint32_t high = word16(block + 2);
  for (int part = 0; part < 8; ++part) {
    const int low = block[4 + part / 2] >> 4 * (part % 2) & 15;
    const int s = (low | static_cast<int>(high >> 2 * part & 3) << 4) - 32;
    decode_nibbles(kIq4Values, block + 8 + 16 * part, d * static_cast<float>(s), to + 32 * part);
  }
}

}  // namespace
}  // namespace qspec
