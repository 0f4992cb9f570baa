#if defined(__x86_64__)

#include <immintrin.h>

#include "engine/tensor/kernel_versions.h"
#include "engine/tensor/line_fields.h"

namespace qspec {
namespace {

constexpr size_t kWords = 8;  // of a register, and rows at once

// Eight rows of eight words become eight columns.
void transpose_eight(const uint8_t* from, size_t from_stride, uint8_t* to, size_t to_stride) {
  __m256i rows[kWords], pairs[kWords], fours[kWords];
  for (size_t i = 0; i < kWords; ++i) {
    rows[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i * from_stride));
  }
  for (size_t i = 0; i < kWords; i += 2) {
    pairs[i] = _mm256_unpacklo_epi32(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm256_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  // fours[i]: column i of the first four rows in the lower half, column i + 4 in the upper.
  for (size_t i = 0; i < kWords; i += 4) {
    for (size_t k = 0; k < 2; ++k) {
      fours[i + 2 * k] = _mm256_unpacklo_epi64(pairs[i + k], pairs[i + 2 + k]);
      fours[i + 2 * k + 1] = _mm256_unpackhi_epi64(pairs[i + k], pairs[i + 2 + k]);
    }
  }
  for (size_t i = 0; i < 4; ++i) {
    const __m256i low = _mm256_permute2x128_si256(fours[i], fours[i + 4], 0x20);
    const __m256i high = _mm256_permute2x128_si256(fours[i], fours[i + 4], 0x31);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i * to_stride), low);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + (i + 4) * to_stride), high);
  }
}

}  // namespace

void transpose_tile_avx2(const WordTile& tile) {
  constexpr size_t kBytes = kWords * sizeof(uint32_t);
  for (size_t column = 0; column < 2; ++column) {
    for (size_t row = 0; row < 2; ++row) {
      transpose_eight(tile.from + row * kWords * tile.from_stride + column * kBytes,
                      tile.from_stride, tile.to + column * kWords * tile.to_stride + row * kBytes,
                      tile.to_stride);
    }
  }
}

void transpose_fields_avx2(const FieldLines& fields) {
  transpose_lines(fields);
}

}  // namespace qspec

#endif
