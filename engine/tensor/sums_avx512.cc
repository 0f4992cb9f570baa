#if defined(__x86_64__)

#include <immintrin.h>

#include "engine/tensor/kernel_versions.h"

namespace qspec {
namespace {

__m256 lower_plus_upper(__m512 lanes) {
  return _mm256_add_ps(_mm512_castps512_ps256(lanes), _mm512_extractf32x8_ps(lanes, 1));
}

// Folds both halves of the fold at once: [0] is the sum of `a`, [4] that of `b`.
__m256 fold_two(__m512 a, __m512 b) {
  const __m256 a8 = lower_plus_upper(a), b8 = lower_plus_upper(b);
  const __m256 fours =
      _mm256_add_ps(_mm256_permute2f128_ps(a8, b8, 0x20), _mm256_permute2f128_ps(a8, b8, 0x31));
  const __m256 twos = _mm256_add_ps(fours, _mm256_permute_ps(fours, 0x4e));
  return _mm256_add_ps(twos, _mm256_permute_ps(twos, 0xb1));
}

void fold_two(__m512 a, __m512 b, float* sum_of_a, float* sum_of_b) {
  const __m256 sums = fold_two(a, b);
  *sum_of_a = _mm256_cvtss_f32(sums);
  *sum_of_b = _mm_cvtss_f32(_mm256_extractf128_ps(sums, 1));
}

__mmask16 live_lanes(size_t left) {
  return left < 16 ? static_cast<__mmask16>((1u << left) - 1) : static_cast<__mmask16>(0xffff);
}

// What one pass keeps in registers. Lanes beyond the end hold zeros and so add nothing.
struct ErrorLanes {
  __m512 squares = _mm512_setzero_ps(), errors = _mm512_setzero_ps();
  __m512 cross = _mm512_setzero_ps(), largest = _mm512_setzero_ps();

  void add(__m512 r, __m512 q) {
    const __m512 e = _mm512_sub_ps(q, r);
    squares = _mm512_add_ps(squares, _mm512_mul_ps(r, r));
    errors = _mm512_add_ps(errors, _mm512_mul_ps(e, e));
    cross = _mm512_add_ps(cross, _mm512_mul_ps(r, e));
    // The second operand is the result when the first is a NaN.
    largest = _mm512_max_ps(_mm512_abs_ps(e), largest);
  }
};

}  // namespace

ErrorSums error_sums_avx512(const float* r, const float* q, size_t count, size_t block,
                            float* squares, float* errors) {
  ErrorLanes lanes;
  for (size_t begin = 0, b = 0; begin < count; begin += block, ++b) {
    const size_t end = begin + block < count ? begin + block : count;
    lanes.squares = lanes.errors = _mm512_setzero_ps();
    size_t i = begin;
    for (; i + 16 <= end; i += 16) lanes.add(_mm512_loadu_ps(r + i), _mm512_loadu_ps(q + i));
    if (i < end) {
      const __mmask16 live = live_lanes(end - i);
      lanes.add(_mm512_maskz_loadu_ps(live, r + i), _mm512_maskz_loadu_ps(live, q + i));
    }
    fold_two(lanes.squares, lanes.errors, squares + b, errors + b);
  }
  const float cross = _mm256_cvtss_f32(fold_two(lanes.cross, lanes.cross));
  return {cross, _mm512_reduce_max_ps(lanes.largest)};
}

MomentSums moment_sums_avx512(const float* x, size_t count) {
  __m512 sum = _mm512_setzero_ps(), squares = _mm512_setzero_ps();
  __m512 least = _mm512_set1_ps(x[0]), largest = least;
  size_t zeros = 0;
  for (size_t i = 0; i < count; i += 16) {
    const __mmask16 live = live_lanes(count - i);
    const __m512 value = _mm512_maskz_loadu_ps(live, x + i);
    sum = _mm512_add_ps(sum, value);
    squares = _mm512_add_ps(squares, _mm512_mul_ps(value, value));
    least = _mm512_mask_min_ps(least, live, value, least);
    largest = _mm512_mask_max_ps(largest, live, value, largest);
    const __mmask16 zero = _mm512_mask_cmp_ps_mask(live, value, _mm512_setzero_ps(), _CMP_EQ_OQ);
    zeros += static_cast<size_t>(__builtin_popcount(zero));
  }
  MomentSums moments;
  fold_two(sum, squares, &moments.sum, &moments.squares);
  moments.min = _mm512_reduce_min_ps(least);
  moments.max = _mm512_reduce_max_ps(largest);
  moments.zeros = zeros;
  return moments;
}

}  // namespace qspec

#endif
