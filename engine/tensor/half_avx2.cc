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

void half_to_float_avx2(const uint16_t* from, size_t count, float* to) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    fetch_ahead(from + i);
    const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
    _mm256_storeu_ps(to + i, _mm256_cvtph_ps(half));
  }
  half_to_float_plain(from + i, count - i, to + i);
}

void bfloat16_to_float_avx2(const uint16_t* from, size_t count, float* to) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    fetch_ahead(from + i);
    const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
    const __m256i bits = _mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16);
    _mm256_storeu_ps(to + i, _mm256_castsi256_ps(bits));
  }
  bfloat16_to_float_plain(from + i, count - i, to + i);
}

void float_to_half_avx2(const float* from, size_t count, uint16_t* to) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i half = _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), half);
  }
  float_to_half_plain(from + i, count - i, to + i);
}

void float_to_bfloat16_avx2(const float* from, size_t count, uint16_t* to) {
  const __m256i one = _mm256_set1_epi32(1);
  const __m256i below_half = _mm256_set1_epi32(0x7fff);
  const __m256i nan = _mm256_set1_epi32(0x7fc0);
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256 value = _mm256_loadu_ps(from + i);
    const __m256i bits = _mm256_castps_si256(value);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), one);
    const __m256i sum = _mm256_add_epi32(bits, _mm256_add_epi32(below_half, odd));
    const __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(value, value, _CMP_UNORD_Q));
    const __m256i wide = _mm256_blendv_epi8(_mm256_srli_epi32(sum, 16), nan, is_nan);
    const __m128i half =
        _mm_packus_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), half);
  }
  float_to_bfloat16_plain(from + i, count - i, to + i);
}

void stream_avx2(const void* from, size_t bytes, void* to) {
  const auto* source = static_cast<const unsigned char*>(from);
  auto* target = static_cast<unsigned char*>(to);
  size_t i = 0;
  if (reinterpret_cast<uintptr_t>(to) % 32 == 0) {
    for (; i + 32 <= bytes; i += 32) {
      _mm256_stream_si256(reinterpret_cast<__m256i*>(target + i),
                          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(source + i)));
    }
  }
  stream_plain(source + i, bytes - i, target + i);
}

}  // namespace qspec

#endif
