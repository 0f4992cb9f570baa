#if defined(__x86_64__)

#include <immintrin.h>

#include <cstring>

#include "engine/tensor/kernel_versions.h"

namespace qspec {
namespace {

// Sixteen lanes in two registers.
struct Lanes {
  __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();

  void add_product(const Lanes& a, const Lanes& b) {
    low = _mm256_add_ps(low, _mm256_mul_ps(a.low, b.low));
    high = _mm256_add_ps(high, _mm256_mul_ps(a.high, b.high));
  }

  float fold() const {
    const __m256 eights = _mm256_add_ps(low, high);
    const __m128 fours =
        _mm_add_ps(_mm256_castps256_ps128(eights), _mm256_extractf128_ps(eights, 1));
    const __m128 twos = _mm_add_ps(fours, _mm_movehl_ps(fours, fours));
    return _mm_cvtss_f32(_mm_add_ss(twos, _mm_movehdup_ps(twos)));
  }
};

Lanes load(const float* from) {
  return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)};
}

// The last `left` < 16 elements, then zeros, which add nothing.
Lanes load_last(const float* from, size_t left) {
  float padded[16] = {};
  std::memcpy(padded, from, left * sizeof(float));
  return load(padded);
}

__m256 absolute(__m256 x) {
  return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
}

struct ErrorLanes {
  Lanes squares, errors, cross;
  __m256 largest = _mm256_setzero_ps();

  void add(const Lanes& r, const Lanes& q) {
    const Lanes e{_mm256_sub_ps(q.low, r.low), _mm256_sub_ps(q.high, r.high)};
    squares.add_product(r, r);
    errors.add_product(e, e);
    cross.add_product(r, e);
    // The second operand is the result when the first is a NaN.
    largest = _mm256_max_ps(absolute(e.low), largest);
    largest = _mm256_max_ps(absolute(e.high), largest);
  }
};

float extreme(__m256 lanes, bool largest) {
  float values[8];
  _mm256_storeu_ps(values, lanes);
  float result = values[0];
  for (const float value : values) {
    if (largest ? value > result : value < result) result = value;
  }
  return result;
}

}  // namespace

ErrorSums error_sums_avx2(const float* r, const float* q, size_t count, size_t block,
                          float* squares, float* errors) {
  ErrorLanes lanes;
  for (size_t begin = 0, b = 0; begin < count; begin += block, ++b) {
    const size_t end = begin + block < count ? begin + block : count;
    lanes.squares = lanes.errors = Lanes();
    size_t i = begin;
    for (; i + 16 <= end; i += 16) lanes.add(load(r + i), load(q + i));
    if (i < end) lanes.add(load_last(r + i, end - i), load_last(q + i, end - i));
    squares[b] = lanes.squares.fold();
    errors[b] = lanes.errors.fold();
  }
  return {lanes.cross.fold(), extreme(lanes.largest, true)};
}

MomentSums moment_sums_avx2(const float* x, size_t count) {
  Lanes sum, squares;
  __m256 least = _mm256_set1_ps(x[0]), largest = least;
  __m256i zeros = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const Lanes value = load(x + i);
    sum.low = _mm256_add_ps(sum.low, value.low);
    sum.high = _mm256_add_ps(sum.high, value.high);
    squares.add_product(value, value);
    const __m256 halves[] = {value.low, value.high};
    for (const __m256 half : halves) {
      least = _mm256_min_ps(half, least);
      largest = _mm256_max_ps(half, largest);
      const __m256 zero = _mm256_cmp_ps(half, _mm256_setzero_ps(), _CMP_EQ_OQ);
      zeros = _mm256_sub_epi32(zeros, _mm256_castps_si256(zero));
    }
  }
  MomentSums moments{0, 0, extreme(least, false), extreme(largest, true), 0};
  uint32_t counts[8];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(counts), zeros);
  for (const uint32_t lane : counts) moments.zeros += lane;
  if (i < count) {
    const Lanes value = load_last(x + i, count - i);
    sum.low = _mm256_add_ps(sum.low, value.low);
    sum.high = _mm256_add_ps(sum.high, value.high);
    squares.add_product(value, value);
  }
  for (; i < count; ++i) {
    moments.min = x[i] < moments.min ? x[i] : moments.min;
    moments.max = x[i] > moments.max ? x[i] : moments.max;
    moments.zeros += x[i] == 0 ? 1 : 0;
  }
  moments.sum = sum.fold();
  moments.squares = squares.fold();
  return moments;
}

}  // namespace qspec

#endif
