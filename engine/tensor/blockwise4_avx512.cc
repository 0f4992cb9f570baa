#if defined(__x86_64__)

#include <immintrin.h>

#include <cstring>

#include "engine/tensor/kernel_versions.h"

namespace qspec {
namespace {

// Pairs of 32-bit codes to bytes, the even one high.
void pack(__m512i codes, uint8_t* packed) {
  const __m512i pairs = _mm512_or_si512(_mm512_slli_epi64(codes, 4), _mm512_srli_epi64(codes, 32));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(packed), _mm512_cvtepi64_epi8(pairs));
}

class Encoder {
 public:
  explicit Encoder(const CodeRule& rule)
      : thresholds_(_mm512_loadu_ps(rule.thresholds)),
        codes_(_mm512_loadu_si512(rule.codes)),
        magnitude_(rule.magnitude) {}

  __m512i codes_of(__m512 x) const {
    if (!magnitude_) return _mm512_permutexvar_epi32(position(x), codes_);
    const __m512i code = _mm512_permutexvar_epi32(position(_mm512_abs_ps(x)), codes_);
    const __mmask16 negative = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ);
    return _mm512_mask_or_epi32(code, negative, code, _mm512_set1_epi32(8));
  }

 private:
  // Binary search: after the step of 2^k, `found` thresholds are known to be below x.
  __m512i position(__m512 x) const {
    __m512i found = _mm512_setzero_si512();
    for (int step = 8; step > 0; step /= 2) {
      const __m512i next = _mm512_add_epi32(found, _mm512_set1_epi32(step - 1));
      const __mmask16 above =
          _mm512_cmp_ps_mask(x, _mm512_permutexvar_ps(next, thresholds_), _CMP_GT_OQ);
      found = _mm512_mask_add_epi32(found, above, found, _mm512_set1_epi32(step));
    }
    return found;
  }

  __m512 thresholds_;
  __m512i codes_;
  bool magnitude_;
};

void encode_block(const float* x, size_t count, float inverse, const Encoder& encoder,
                  uint8_t* packed) {
  const __m512 scale = _mm512_set1_ps(inverse);
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    pack(encoder.codes_of(_mm512_mul_ps(_mm512_loadu_ps(x + i), scale)), packed + i / 2);
  }
  if (i < count) {
    const __mmask16 live = static_cast<__mmask16>((1u << (count - i)) - 1);
    uint8_t last[8];
    pack(encoder.codes_of(_mm512_mul_ps(_mm512_maskz_loadu_ps(live, x + i), scale)), last);
    std::memcpy(packed + i / 2, last, (count - i) / 2);
  }
}

size_t length_of_block(size_t begin, size_t count, size_t block) {
  return count - begin < block ? count - begin : block;
}

}  // namespace

float absmax_avx512(const float* x, size_t count) {
  __m512 largest = _mm512_setzero_ps();
  for (size_t i = 0; i < count; i += 16) {
    const __mmask16 live = count - i < 16 ? (1u << (count - i)) - 1 : 0xffff;
    // The second operand is the result when the first is a NaN.
    largest = _mm512_max_ps(_mm512_abs_ps(_mm512_maskz_loadu_ps(live, x + i)), largest);
  }
  return _mm512_reduce_max_ps(largest);
}

void encode4_avx512(const float* x, size_t count, size_t block, const CodeRule& rule,
                    uint8_t* packed, float* absmax) {
  const Encoder encoder(rule);
  for (size_t begin = 0, b = 0; begin < count; begin += block, ++b) {
    const size_t length = length_of_block(begin, count, block);
    absmax[b] = absmax_avx512(x + begin, length);
    encode_block(x + begin, length, 1 / absmax[b], encoder, packed + begin / 2);
  }
}

}  // namespace qspec

#endif
