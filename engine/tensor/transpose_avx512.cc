#if defined(__x86_64__)

#include <immintrin.h>

#include "engine/tensor/kernel_versions.h"
#include "engine/tensor/line_fields.h"

namespace qspec {
namespace {

constexpr size_t kWords = WordTile::kWords;

void store(uint8_t* to, __m512i words, bool streamed) {
  if (streamed) return _mm512_stream_si512(reinterpret_cast<__m512i*>(to), words);
  _mm512_storeu_si512(to, words);
}

}  // namespace

void transpose_tile_avx512(const WordTile& tile) {
  constexpr size_t kLine = kWords * sizeof(uint32_t);
  __m512i rows[kWords], pairs[kWords];
  for (size_t i = 0; i < kWords; ++i)
    rows[i] = _mm512_loadu_si512(tile.from + i * tile.from_stride);
  for (size_t i = 0; i < kWords; i += 2) {
    pairs[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  // rows[4 a + b]: of rows 4 a to 4 a + 3 columns b, b + 4, b + 8 and b + 12, a quarter each.
  for (size_t a = 0; a < kWords; a += 4) {
    for (size_t k = 0; k < 2; ++k) {
      rows[a + 2 * k] = _mm512_unpacklo_epi64(pairs[a + k], pairs[a + 2 + k]);
      rows[a + 2 * k + 1] = _mm512_unpackhi_epi64(pairs[a + k], pairs[a + 2 + k]);
    }
  }
  const bool aligned = (reinterpret_cast<uintptr_t>(tile.to) | tile.to_stride) % kLine == 0;
  const bool streamed = tile.streamed && aligned;
  for (size_t b = 0; b < 4; ++b) {
    // Quarters of even columns and of odd ones, of the rows' first and second half.
    const __m512i first_even = _mm512_shuffle_i32x4(rows[b], rows[4 + b], 0x88);
    const __m512i first_odd = _mm512_shuffle_i32x4(rows[b], rows[4 + b], 0xdd);
    const __m512i last_even = _mm512_shuffle_i32x4(rows[8 + b], rows[12 + b], 0x88);
    const __m512i last_odd = _mm512_shuffle_i32x4(rows[8 + b], rows[12 + b], 0xdd);
    uint8_t* to = tile.to + b * tile.to_stride;
    store(to, _mm512_shuffle_i32x4(first_even, last_even, 0x88), streamed);
    store(to + 4 * tile.to_stride, _mm512_shuffle_i32x4(first_odd, last_odd, 0x88), streamed);
    store(to + 8 * tile.to_stride, _mm512_shuffle_i32x4(first_even, last_even, 0xdd), streamed);
    store(to + 12 * tile.to_stride, _mm512_shuffle_i32x4(first_odd, last_odd, 0xdd), streamed);
  }
}

void transpose_fields_avx512(const FieldLines& fields) {
  transpose_lines(fields);
}

}  // namespace qspec

#endif
