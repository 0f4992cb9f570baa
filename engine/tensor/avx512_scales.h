// Zeros, scales and shifts of 64 columns. For coded_avx512.cc alone.

#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/tensor/avx512_codes.h"
#include "engine/tensor/avx512_values.h"
#include "engine/tensor/kernels.h"

namespace qspec {
namespace {

// Each float rounded to a bfloat16, in the upper half of its lane.
__m512i rounded_to_bfloat16(__m512 x) {
  const __m512i bits = _mm512_castps_si512(x);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i more = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
  const __mmask16 is_number = _mm512_cmp_ps_mask(x, x, _CMP_ORD_Q);
  return _mm512_mask_add_epi32(_mm512_set1_epi32(0x7fc00000), is_number, bits, more);
}

__m256i rounded_to_half(__m512 x) {
  return _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT);
}

__m512 rounded(Rounding rounding, __m512 x) {
  if (rounding == Rounding::kHalf) return _mm512_cvtph_ps(rounded_to_half(x));
  const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xffff0000));
  return _mm512_castsi512_ps(_mm512_and_si512(rounded_to_bfloat16(x), upper));
}

// The scales of some lanes; see Group in coded_plain.cc.
struct Affine {
  __m512 operator()(const CodedRow& row, __m512 value) const {
    __m512 x = _mm512_sub_ps(value, zero);
    if (row.rounding != Rounding::kNone) x = rounded(row.rounding, x);
    x = _mm512_mul_ps(x, scale);
    if (row.shifts == nullptr) return x;
    if (row.rounding != Rounding::kNone) x = rounded(row.rounding, x);
    return _mm512_add_ps(x, shift);
  }

  __m512 zero, scale, shift;
};

Affine affine_of(const CodedRow& row, size_t group) {
  return {_mm512_set1_ps(row.zeros != nullptr ? row.zeros[group] : 0.0f),
          _mm512_set1_ps(row.scales[group]),
          _mm512_set1_ps(row.shifts != nullptr ? row.shifts[group] : 0.0f)};
}

// What is done to the values of a row, known when the loop over its columns is compiled. Where
// there are no zeros, the values are rounded already (CodedRow::rounding).
template <bool kZeros, bool kShifts, Rounding kRounding>
struct Steps {
  [[gnu::always_inline]] static __m512 apply(const CodedRow& row, size_t group, __m512 x) {
    if constexpr (kZeros) {
      x = stepped(_mm512_sub_ps(x, _mm512_set1_ps(row.zeros[group])));
    }
    x = _mm512_mul_ps(x, _mm512_set1_ps(row.scales[group]));
    if constexpr (kShifts) x = _mm512_add_ps(stepped(x), _mm512_set1_ps(row.shifts[group]));
    return x;
  }

 private:
  [[gnu::always_inline]] static __m512 stepped(__m512 x) {
    return kRounding == Rounding::kNone ? x : rounded(kRounding, x);
  }
};

// Calls body with the Steps of a row.
template <class Body>
void with_steps(const CodedRow& row, const Body& body) {
  const auto rounding = [&](auto with_rounding) {
    if (row.rounding == Rounding::kHalf)
      return with_rounding.template operator()<Rounding::kHalf>();
    if (row.rounding == Rounding::kNone)
      return with_rounding.template operator()<Rounding::kNone>();
    with_rounding.template operator()<Rounding::kBfloat16>();
  };
  const bool zeros = row.zeros != nullptr, shifts = row.shifts != nullptr;
  rounding([&]<Rounding kRounding>() {
    if (zeros && shifts) return body(Steps<true, true, kRounding>());
    if (zeros) return body(Steps<true, false, kRounding>());
    if (shifts) return body(Steps<false, true, kRounding>());
    body(Steps<false, false, Rounding::kNone>());
  });
}

// Blocks of columns that no 16 columns from a multiple of 16 straddle, one after the other.
template <class RowSteps>
class BlockScales {
 public:
  BlockScales(const CodedRow& row, size_t first)
      : row_(row), group_(first / row.block), next_((group_ + 1) * row.block) {}

  [[gnu::always_inline]] void apply(size_t column, Floats& x) {
    const size_t first = of(column);
    x.part[0] = RowSteps::apply(row_, first, x.part[0]);
    if (column + kWidth <= next_) {
      for (size_t i = 1; i < 4; ++i) x.part[i] = RowSteps::apply(row_, first, x.part[i]);
      return;
    }
    for (size_t i = 1; i < 4; ++i)
      x.part[i] = RowSteps::apply(row_, of(column + 16 * i), x.part[i]);
  }

 private:
  // Columns behind the row take the scales of its last ones: nobody asks for them.
  size_t of(size_t column) {
    if (column >= next_ && group_ + 1 < row_.column_groups) {
      ++group_;
      next_ += row_.block;
    }
    return group_;
  }

  CodedRow row_;  // a copy, so that no store may change it
  size_t group_, next_;
};

// Columns that name their groups, up to 32 of those: two registers hold what they have.
template <bool kZeros, bool kShifts>
class RegisterScales {
 public:
  static constexpr size_t kMost = 32;

  explicit RegisterScales(const CodedRow& row)
      : row_(row),
        zeros_(kZeros ? row.zeros : nullptr, row.column_groups),
        scales_(row.scales, row.column_groups),
        shifts_(kShifts ? row.shifts : nullptr, row.column_groups) {}

  [[gnu::always_inline]] void apply(size_t column, Floats& x) const {
    for (size_t i = 0; i < 4; ++i) {
      const __m512i groups = load(row_.groups + column + 16 * i);
      Affine affine{};
      if constexpr (kZeros) affine.zero = zeros_[groups];
      affine.scale = scales_[groups];
      if constexpr (kShifts) affine.shift = shifts_[groups];
      x.part[i] = affine(row_, x.part[i]);
    }
  }

 private:
  class Registers {
   public:
    Registers(const float* from, size_t count) {
      alignas(64) float floats[kMost] = {};
      if (from != nullptr) std::copy_n(from, count, floats);
      low_ = _mm512_load_ps(floats);
      high_ = _mm512_load_ps(floats + 16);
    }
    __m512 operator[](__m512i index) const { return _mm512_permutex2var_ps(low_, index, high_); }

   private:
    __m512 low_, high_;
  };

  const CodedRow& row_;
  Registers zeros_, scales_, shifts_;
};

// Columns that name their groups, up to 256 of those; without shifts.
template <bool kZeros>
class ListedScales {
 public:
  explicit ListedScales(const CodedRow& row)
      : row_(row),
        order_(in_order_of(float_place)),
        zeros_(row.zeros, kZeros ? row.column_groups : 0),
        scales_(row.scales, row.column_groups) {}

  [[gnu::always_inline]] void apply(size_t column, Floats& x) const {
    const __m512i groups = _mm512_permutexvar_epi8(order_, load(row_.group_bytes + column));
    Floats zeros{};
    if constexpr (kZeros) zeros = zeros_[groups];
    const Floats scales = scales_[groups];
    for (size_t i = 0; i < 4; ++i) {
      x.part[i] = Affine{zeros.part[i], scales.part[i], {}}(row_, x.part[i]);
    }
  }

 private:
  const CodedRow& row_;
  __m512i order_;
  Table zeros_, scales_;
};

// Any number of groups.
class GatheredScales {
 public:
  explicit GatheredScales(const CodedRow& row) : row_(row) {}

  void apply(size_t column, Floats& x) const {
    for (size_t i = 0; i < 4; ++i) {
      const __m512i groups = load(row_.groups + column + 16 * i);
      x.part[i] = Affine{gathered(row_.zeros, groups), gathered(row_.scales, groups),
                         gathered(row_.shifts, groups)}(row_, x.part[i]);
    }
  }

 private:
  static __m512 gathered(const float* from, __m512i index) {
    if (from == nullptr) return _mm512_setzero_ps();
    return _mm512_i32gather_ps(index, from, sizeof(float));
  }

  const CodedRow& row_;
};

}  // namespace
}  // namespace qspec
