// ggml's i-quants: blocks of 256 whose groups of 8 or 4 magnitudes are entries of a grid, with
// signs apart. See ggml_lanes.h.

#pragma once

#include "engine/tensor/ggml_grid_bytes.h"
#include "engine/tensor/ggml_legacy.h"

namespace qspec {
namespace {

// The eighth sign makes their number even.
uint32_t eight_signs(uint32_t seven) {
  return seven | static_cast<uint32_t>(__builtin_parity(seven)) << 7;
}

// (1/2 + s) / 4 of d.
float scale2(float d, uint32_t s) {
  return d * (0.5f + static_cast<float>(static_cast<int32_t>(s))) * 0.25f;
}

void decode_iq2_xxs(const uint8_t* block, float* __restrict to) {
  const uint64_t* grid = kGgmlGridBytes.iq2_xxs;
  const float d = half_at(block);
  for (int part = 0; part < 8; ++part) {
    const uint8_t* q = block + 2 + 8 * part;
    const uint32_t rest = word32(q + 4);
    for (int i = 0; i < 4; i += 2) {
      const uint32_t signs =
          eight_signs(rest >> 7 * i & 127) | eight_signs(rest >> 7 * (i + 1) & 127) << 8;
      scale16(signed16(pair16(grid[q[i]], grid[q[i + 1]]), signs), scale2(d, rest >> 28),
              to + 32 * part + 8 * i);
    }
  }
}

void decode_iq2_xs(const uint8_t* block, float* __restrict to) {
  const uint64_t* grid = kGgmlGridBytes.iq2_xs;
  const float d = half_at(block);
  const uint8_t* scales = block + 66;
  for (int i = 0; i < 32; i += 2) {
    const uint32_t low = word16(block + 2 + 2 * i), high = word16(block + 4 + 2 * i);
    const uint32_t scale = scales[i / 4] >> 4 * (i / 2 % 2) & 15;
    const uint32_t signs = eight_signs(low >> 9) | eight_signs(high >> 9) << 8;
    scale16(signed16(pair16(grid[low & 511], grid[high & 511]), signs), scale2(d, scale),
            to + 8 * i);
  }
}

void decode_iq2_s(const uint8_t* block, float* __restrict to) {
  const uint64_t* grid = kGgmlGridBytes.iq2_s;
  const float d = half_at(block);
  const uint8_t *q = block + 2, *signs = block + 34, *high = block + 66, *scales = block + 74;
  for (int i = 0; i < 32; i += 2) {
    const uint32_t bits = static_cast<uint32_t>(high[i / 4]) >> 2 * (i % 4);
    const uint64_t first = grid[q[i] | (bits & 3) << 8], second = grid[q[i + 1] | (bits & 12) << 6];
    const uint32_t scale = scales[i / 4] >> 4 * (i / 2 % 2) & 15;
    scale16(signed16(pair16(first, second), word16(signs + i)), scale2(d, scale), to + 8 * i);
  }
}

uint64_t joined(uint32_t low, uint32_t high) {
  return low | uint64_t{high} << 32;
}

void decode_iq3_xxs(const uint8_t* block, float* __restrict to) {
  const uint32_t* grid = kGgmlGridBytes.iq3_xxs;
  const float d = half_at(block);
  for (int part = 0; part < 8; ++part) {
    const uint8_t* q = block + 2 + 8 * part;
    const uint32_t rest = word32(block + 66 + 4 * part);
    const float scale = d * (0.5f + static_cast<float>(static_cast<int32_t>(rest >> 28))) * 0.5f;
    for (int i = 0; i < 8; i += 4) {
      const uint32_t seven = rest >> 7 * (i / 2);
      const uint32_t signs = eight_signs(seven & 127) | eight_signs(seven >> 7 & 127) << 8;
      const Bytes16 values =
          pair16(joined(grid[q[i]], grid[q[i + 1]]), joined(grid[q[i + 2]], grid[q[i + 3]]));
      scale16(signed16(values, signs), scale, to + 32 * part + 4 * i);
    }
  }
}

void decode_iq3_s(const uint8_t* block, float* __restrict to) {
  const uint32_t* grid = kGgmlGridBytes.iq3_s;
  const float d = half_at(block);
  const uint8_t *q = block + 2, *high = block + 66, *signs = block + 74, *scales = block + 106;
  for (int i = 0; i < 64; i += 4) {
    const uint32_t ninth = static_cast<uint32_t>(high[i / 8]) << 8 >> i % 8;  // bits of four codes
    const auto entry = [&](int k) { return grid[q[i + k] | (ninth >> k & 256)]; };
    const int s = scales[i / 16] >> 4 * (i / 8 % 2) & 15;
    const Bytes16 values = pair16(joined(entry(0), entry(1)), joined(entry(2), entry(3)));
    scale16(signed16(values, word16(signs + i / 2)), d * static_cast<float>(1 + 2 * s), to + 4 * i);
  }
}

// Eight times -1, 0 and 1 and 16 more, moved by one: an eighth of what is scaled. Which way cannot
// be foreseen, so that a branch would cost more than the rest.
uint64_t moved(uint64_t entry, uint64_t down) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  return entry + kOnes - 2 * kOnes * down;
}

// An eighth of the scale is exact: it is a multiple of the smallest half.
void grid1(uint64_t low, uint64_t high, float scale, float* to) {
  scale16(minus16(pair16(low, high), 16), scale * 0.125f, to);
}

void decode_iq1_s(const uint8_t* block, float* __restrict to) {
  const float d = half_at(block);
  for (int part = 0; part < 8; ++part) {
    const uint8_t* q = block + 2 + 4 * part;
    const uint32_t high = word16(block + 34 + 2 * part);
    const float scale = d * static_cast<float>(static_cast<int32_t>(2 * (high >> 12 & 7) + 1));
    const auto entry = [&](int i) {
      return moved(kGgmlGridBytes.iq1[q[i] | (high >> 3 * i & 7) << 8], high >> 15);
    };
    grid1(entry(0), entry(1), scale, to + 32 * part);
    grid1(entry(2), entry(3), scale, to + 32 * part + 16);
  }
}

// The nibbles of d are the highest of four words of scales.
void decode_iq1_m(const uint8_t* block, float* __restrict to) {
  const uint8_t *high = block + 32, *scales = block + 48;
  uint32_t bits = 0;
  for (int i = 0; i < 4; ++i) bits |= (word16(scales + 2 * i) >> 12) << 4 * i;
  const float d = float_of_half_bits(bits);
  for (int part = 0; part < 8; ++part) {
    const uint8_t* q = block + 4 * part;
    const uint32_t nibbles = word16(high + 2 * part);
    const uint32_t two = word16(scales + part / 2 * 2) >> 6 * (part % 2);
    const auto entry = [&](int i) {
      const uint32_t nibble = nibbles >> 4 * i;
      return moved(kGgmlGridBytes.iq1[q[i] | (nibble & 7) << 8], nibble >> 3 & 1);
    };
    const auto scale = [&](uint32_t s) {
      return d * static_cast<float>(static_cast<int32_t>(2 * (s & 7) + 1));
    };
    grid1(entry(0), entry(1), scale(two), to + 32 * part);
    grid1(entry(2), entry(3), scale(two >> 3), to + 32 * part + 16);
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
