#if defined(__x86_64__)

#include <immintrin.h>

#include <cstring>

#include "engine/tensor/kernel_versions.h"

namespace qspec {
namespace {

// A table of 16 lanes as two of 8: bit 3 of the index chooses.
class Table {
 public:
  explicit Table(const float* values)
      : low_(_mm256_loadu_ps(values)), high_(_mm256_loadu_ps(values + 8)) {}

  // Only the low four bits of `index` count.
  __m256 at(__m256i index) const {
    const __m256 choose_high = _mm256_castsi256_ps(_mm256_slli_epi32(index, 28));
    return _mm256_blendv_ps(_mm256_permutevar8x32_ps(low_, index),
                            _mm256_permutevar8x32_ps(high_, index), choose_high);
  }

 private:
  __m256 low_;
  __m256 high_;
};

// Pairs of 32-bit codes to bytes, the even one high.
void pack(__m256i codes, uint8_t* packed) {
  const __m256i pairs = _mm256_or_si256(_mm256_slli_epi64(codes, 4), _mm256_srli_epi64(codes, 32));
  alignas(32) uint64_t lanes[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), pairs);
  for (int k = 0; k < 4; ++k) packed[k] = static_cast<uint8_t>(lanes[k]);
}

__m256 absolute(__m256 x) {
  return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
}

class Encoder {
 public:
  explicit Encoder(const CodeRule& rule)
      : rule_(rule), codes_(reinterpret_cast<const float*>(rule.codes)) {}

  __m256i codes_of(__m256 x) const {
    const __m256 value = rule_.magnitude ? absolute(x) : x;
    __m256i position = _mm256_setzero_si256();
    for (int i = 0; i < 15; ++i) {
      const __m256 above = _mm256_cmp_ps(value, _mm256_set1_ps(rule_.thresholds[i]), _CMP_GT_OQ);
      position = _mm256_sub_epi32(position, _mm256_castps_si256(above));
    }
    const __m256i code = _mm256_castps_si256(codes_.at(position));
    if (!rule_.magnitude) return code;
    const __m256 negative = _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_LT_OQ);
    return _mm256_or_si256(code,
                           _mm256_and_si256(_mm256_castps_si256(negative), _mm256_set1_epi32(8)));
  }

 private:
  const CodeRule& rule_;
  Table codes_;
};

void encode_block(const float* x, size_t count, float inverse, const Encoder& encoder,
                  uint8_t* packed) {
  const __m256 scale = _mm256_set1_ps(inverse);
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    pack(encoder.codes_of(_mm256_mul_ps(_mm256_loadu_ps(x + i), scale)), packed + i / 2);
  }
  if (i < count) {
    float rest[8] = {};
    uint8_t last[4];
    std::memcpy(rest, x + i, (count - i) * sizeof(float));
    pack(encoder.codes_of(_mm256_mul_ps(_mm256_loadu_ps(rest), scale)), last);
    std::memcpy(packed + i / 2, last, (count - i) / 2);
  }
}

size_t length_of_block(size_t begin, size_t count, size_t block) {
  return count - begin < block ? count - begin : block;
}

}  // namespace

float absmax_avx2(const float* x, size_t count) {
  __m256 lanes = _mm256_setzero_ps();
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    // The second operand is the result when the first is a NaN.
    lanes = _mm256_max_ps(absolute(_mm256_loadu_ps(x + i)), lanes);
  }
  alignas(32) float folded[8];
  _mm256_store_ps(folded, lanes);
  float largest = 0;
  for (const float lane : folded) largest = lane > largest ? lane : largest;
  for (; i < count; ++i) {
    const float magnitude = x[i] < 0 ? -x[i] : x[i];
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest;
}

void encode4_avx2(const float* x, size_t count, size_t block, const CodeRule& rule, uint8_t* packed,
                  float* absmax) {
  const Encoder encoder(rule);
  for (size_t begin = 0, b = 0; begin < count; begin += block, ++b) {
    const size_t length = length_of_block(begin, count, block);
    absmax[b] = absmax_avx2(x + begin, length);
    encode_block(x + begin, length, 1 / absmax[b], encoder, packed + begin / 2);
  }
}

}  // namespace qspec

#endif
