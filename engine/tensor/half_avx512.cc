#if defined(__x86_64__)

#include <immintrin.h>

#include "engine/tensor/kernel_versions.h"

namespace qspec {
namespace {

// Stretches are read in bursts with arithmetic between them, too short for the processor to foresee
// the next one.
void fetch_ahead(const uint16_t* from) {
  constexpr size_t kAhead = 1024;
  _mm_prefetch(reinterpret_cast<const char*>(from + kAhead), _MM_HINT_T0);
}

}  // namespace

void half_to_float_avx512(const uint16_t* from, size_t count, float* to) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    fetch_ahead(from + i);
    const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i));
    _mm512_storeu_ps(to + i, _mm512_cvtph_ps(half));
  }
  half_to_float_plain(from + i, count - i, to + i);
}

void bfloat16_to_float_avx512(const uint16_t* from, size_t count, float* to) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    fetch_ahead(from + i);
    const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i));
    const __m512i bits = _mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16);
    _mm512_storeu_ps(to + i, _mm512_castsi512_ps(bits));
  }
  bfloat16_to_float_plain(from + i, count - i, to + i);
}

void float_to_half_avx512(const float* from, size_t count, uint16_t* to) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const __m256i half = _mm512_cvtps_ph(_mm512_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), half);
  }
  float_to_half_plain(from + i, count - i, to + i);
}

namespace {

// Each float rounded to a bfloat16, in the upper half of its lane.
__m512i rounded(__m512 value) {
  const __m512i bits = _mm512_castps_si512(value);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i below_half = _mm512_set1_epi32(0x7fff);
  const __m512i sum = _mm512_add_epi32(bits, _mm512_add_epi32(below_half, odd));
  const __mmask16 is_nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
  return _mm512_mask_mov_epi32(sum, is_nan, _mm512_set1_epi32(0x7fc00000));
}

}  // namespace

void float_to_bfloat16_avx512(const float* from, size_t count, uint16_t* to) {
  // The upper halves of 32 lanes: word 2 k + 1 of the first register, then of the second.
  alignas(64) uint16_t words[32];
  for (uint16_t k = 0; k < 32; ++k) words[k] = static_cast<uint16_t>(2 * k + 1);
  const __m512i upper = _mm512_load_si512(words);
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    const __m512i low = rounded(_mm512_loadu_ps(from + i));
    const __m512i high = rounded(_mm512_loadu_ps(from + i + 16));
    _mm512_storeu_si512(to + i, _mm512_permutex2var_epi16(low, upper, high));
  }
  float_to_bfloat16_plain(from + i, count - i, to + i);
}

void stream_avx512(const void* from, size_t bytes, void* to) {
  const auto* source = static_cast<const unsigned char*>(from);
  auto* target = static_cast<unsigned char*>(to);
  size_t i = 0;
  if (reinterpret_cast<uintptr_t>(to) % 64 == 0) {
    for (; i + 64 <= bytes; i += 64) {
      _mm512_stream_si512(reinterpret_cast<__m512i*>(target + i), _mm512_loadu_si512(source + i));
    }
  }
  stream_plain(source + i, bytes - i, target + i);
}

}  // namespace qspec

#endif
