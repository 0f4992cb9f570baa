// What 64 codes stand for. For coded_avx512.cc alone.

#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/tensor/avx512_codes.h"
#include "engine/tensor/kernels.h"

namespace qspec {
namespace {

// Up to 256 floats, found by bytes in the order of float_place. Of floats whose lower halves are
// all zeros, as small integers and bfloat16 are, only the upper ones are looked up.
class Table {
 public:
  static constexpr size_t kMost = 256;

  Table(const float* from, size_t count) : count_(count) {
    __m512i any = _mm512_setzero_si512();
    for (size_t i = 0; i < count; i += 16) {
      const auto there = static_cast<__mmask16>(0xffffu >> (16 - std::min<size_t>(16, count - i)));
      const __m512i floats = _mm512_maskz_loadu_epi32(there, from + i);
      any = _mm512_or_si512(any, floats);
      put(0, i, floats);
      put(1, i, _mm512_srli_epi32(floats, 8));
      put(2, i, _mm512_srli_epi32(floats, 16));
      put(3, i, _mm512_srli_epi32(floats, 24));
    }
    is_wide_ = _mm512_test_epi32_mask(any, _mm512_set1_epi32(0xffff)) != 0;
  }

  [[gnu::always_inline]] Floats operator[](__m512i index) const {
    const __m512i low = at(2, index), high = at(3, index);
    __m512i first_low = _mm512_setzero_si512(), first_high = first_low;
    if (is_wide_) {
      const __m512i lowest = at(0, index), second = at(1, index);
      first_low = _mm512_unpacklo_epi8(lowest, second);
      first_high = _mm512_unpackhi_epi8(lowest, second);
    }
    const __m512i last_low = _mm512_unpacklo_epi8(low, high);
    const __m512i last_high = _mm512_unpackhi_epi8(low, high);
    return {{_mm512_castsi512_ps(_mm512_unpacklo_epi16(first_low, last_low)),
             _mm512_castsi512_ps(_mm512_unpackhi_epi16(first_low, last_low)),
             _mm512_castsi512_ps(_mm512_unpacklo_epi16(first_high, last_high)),
             _mm512_castsi512_ps(_mm512_unpackhi_epi16(first_high, last_high))}};
  }

 private:
  void put(size_t byte, size_t first, __m512i lanes) {
    _mm_store_si128(reinterpret_cast<__m128i*>(bytes_[byte] + first), _mm512_cvtepi32_epi8(lanes));
  }

  __m512i at(size_t byte, __m512i index) const {
    const uint8_t* table = bytes_[byte];
    if (count_ <= 64) return _mm512_permutexvar_epi8(index, load(table));
    const __m512i low = _mm512_permutex2var_epi8(load(table), index, load(table + 64));
    if (count_ <= 128) return low;
    const __m512i high = _mm512_permutex2var_epi8(load(table + 128), index, load(table + 192));
    return _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(index), high);
  }

  size_t count_;
  bool is_wide_;
  alignas(64) uint8_t bytes_[4][kMost];
};

// The numbers code + base, where they are computed with fewer shuffles than looked up.
class WholeNumbers {
 public:
  explicit WholeNumbers(const CodedRow& row) : base_(_mm512_set1_ps(row.base)) {
    if (row.kind != CodeValues::kSigned) return;
    const int half = 1 << (row.bits - 1);  // with the sign bit flipped, codes count from -half on
    flip_ = _mm512_set1_epi8(static_cast<char>(half));
    base_ = _mm512_set1_ps(static_cast<float>(-half));
  }

  static bool fit(const CodedRow& row) {
    return row.kind == CodeValues::kOffset || row.kind == CodeValues::kSigned;
  }

  [[gnu::always_inline]] Floats operator[](__m512i codes) const {
    const __m512i bytes = _mm512_xor_si512(codes, flip_), none = _mm512_setzero_si512();
    const __m512i low = _mm512_unpacklo_epi8(bytes, none);
    const __m512i high = _mm512_unpackhi_epi8(bytes, none);
    return {{number(_mm512_unpacklo_epi16(low, none)), number(_mm512_unpackhi_epi16(low, none)),
             number(_mm512_unpacklo_epi16(high, none)), number(_mm512_unpackhi_epi16(high, none))}};
  }

 private:
  __m512 number(__m512i lanes) const { return _mm512_add_ps(_mm512_cvtepi32_ps(lanes), base_); }

  __m512i flip_ = _mm512_setzero_si512();
  __m512 base_;
};

}  // namespace
}  // namespace qspec
