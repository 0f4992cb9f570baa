#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <array>

#include "engine/tensor/kernel_versions.h"

namespace qspec {
namespace {

// Codes are decoded 64 at once. Their bits are spread to a byte each, and a number is looked up for
// each byte by permutes, one for each byte of the numbers: as quick for any values as for those
// that could be computed, and some twenty times quicker than gathering them.
constexpr size_t kWidth = 64;

// Bytes to fetch ahead: the arithmetic between two reads is too long for the processor to foresee
// the next one.
constexpr size_t kAhead = 2048;

__m512i load(const void* from) {
  return _mm512_loadu_si512(from);
}

struct Floats {
  __m512 part[4];  // of 16 each, in order
};

// The order of bytes from which unpacking makes floats in order: quarter `q` of each 16 bytes are
// four of part q.
constexpr size_t float_place(size_t byte) {
  return byte / 4 % 4 * 16 + byte / 16 * 4 + byte % 4;
}

// The same of halves: half `h` of each 16 bytes are eight of the 32 that are part h.
constexpr size_t half_place(size_t byte) {
  return byte / 8 % 2 * 32 + byte / 16 * 8 + byte % 8;
}

__m512i in_order_of(size_t (*place)(size_t)) {
  alignas(64) uint8_t bytes[kWidth];
  for (size_t i = 0; i < kWidth; ++i) bytes[i] = static_cast<uint8_t>(place(i));
  return load(bytes);
}

using Place = size_t (*)(size_t);

// Where the bits of 64 codes lie, in the order of `kPlace`: `kRun` codes that are neighbours there,
// and all of their bits, come to lie where they are shifted from, four in 32 bits or eight in 64.
struct Bits {
  alignas(64) uint8_t bytes[kWidth];
  alignas(64) uint8_t shifts[kWidth];
};

template <size_t kRun, Place kPlace>
constexpr Bits bits_of(size_t width, size_t swap) {
  Bits bits{};
  for (size_t i = 0; i < kWidth; ++i) {
    const size_t first_bit = kPlace(i / kRun * kRun) * width;
    bits.bytes[i] = static_cast<uint8_t>(first_bit / 8 + i % kRun);
    bits.shifts[i] =
        static_cast<uint8_t>(i / kRun * kRun % 8 * 8 + first_bit % 8 + (i % kRun ^ swap) * width);
  }
  return bits;
}

// Of codes of 1 to 8 bits; number 0 is that of 4 bits with the high nibble first.
template <size_t kRun, Place kPlace>
constexpr std::array<Bits, 9> kBitsOf = [] {
  std::array<Bits, 9> all{};
  for (size_t width = 1; width <= 8; ++width) all[width] = bits_of<kRun, kPlace>(width, 0);
  all[0] = bits_of<kRun, kPlace>(4, 1);
  return all;
}();

// Codes of 1 to 8 bits as bytes, in the order of `kPlace`.
template <size_t kRun, Place kPlace>
class Spread {
 public:
  explicit Spread(const CodedRow& row) : end_(row.end) {
    const Bits& bits = kBitsOf<kRun, kPlace>[row.high_first ? 0 : static_cast<size_t>(row.bits)];
    bytes_ = load(bits.bytes);
    shifts_ = load(bits.shifts);
    mask_ = _mm512_set1_epi8(static_cast<char>((1u << row.bits) - 1));
  }

  // Of 64 codes from `p` on. What lies behind the last byte counts as zeros.
  __m512i operator()(const uint8_t* p) const {
    _mm_prefetch(reinterpret_cast<const char*>(p + kAhead), _MM_HINT_T0);
    const auto there = static_cast<size_t>(end_ - p);
    const __m512i bytes =
        there >= kWidth ? load(p) : _mm512_maskz_loadu_epi8((__mmask64{1} << there) - 1, p);
    const __m512i spread = _mm512_permutexvar_epi8(bytes_, bytes);
    return _mm512_and_si512(_mm512_multishift_epi64_epi8(shifts_, spread), mask_);
  }

 private:
  const uint8_t* end_;
  __m512i bytes_, shifts_, mask_;
};

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
  explicit WholeNumbers(const CodedRow& row)
      : flip_(_mm512_set1_epi8(row.kind == CodeValues::kSigned ? -128 : 0)),
        base_(_mm512_set1_ps(row.kind == CodeValues::kSigned ? -128.0f : row.base)) {}

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

  __m512i flip_;
  __m512 base_;
};

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

// Blocks of columns that no 16 columns from a multiple of 16 straddle, one after the other.
class BlockScales {
 public:
  BlockScales(const CodedRow& row, size_t first)
      : row_(row), group_(first / row.block), next_((group_ + 1) * row.block) {}

  [[gnu::always_inline]] void apply(size_t column, Floats& x) {
    const Affine first = of(column);
    x.part[0] = first(row_, x.part[0]);
    if (column + kWidth <= next_) {
      for (size_t i = 1; i < 4; ++i) x.part[i] = first(row_, x.part[i]);
      return;
    }
    for (size_t i = 1; i < 4; ++i) x.part[i] = of(column + 16 * i)(row_, x.part[i]);
  }

 private:
  // Columns behind the row take the scales of its last ones: nobody asks for them.
  Affine of(size_t column) {
    if (column >= next_ && group_ + 1 < row_.column_groups) {
      ++group_;
      next_ += row_.block;
    }
    return affine_of(row_, group_);
  }

  const CodedRow& row_;
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

void put(void* to, __m512i line, bool streamed) {
  if (streamed) return _mm512_stream_si512(static_cast<__m512i*>(to), line);
  _mm512_storeu_si512(to, line);
}

__m512i joined(__m256i low, __m256i high) {
  return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

struct ToFloat {
  using Element = float;
  static void store(float* to, const Floats& x, bool streamed) {
    for (size_t i = 0; i < 4; ++i) put(to + 16 * i, _mm512_castps_si512(x.part[i]), streamed);
  }
};

struct ToHalf {
  using Element = uint16_t;
  static __m256i narrow(__m512 x) { return rounded_to_half(x); }
  static void store(uint16_t* to, const Floats& x, bool streamed) {
    put(to, joined(narrow(x.part[0]), narrow(x.part[1])), streamed);
    put(to + 32, joined(narrow(x.part[2]), narrow(x.part[3])), streamed);
  }
};

// The upper halves of 32 lanes.
__m512i upper_halves(__m512i low, __m512i high) {
  alignas(64) static constexpr uint16_t kOdd[32] = {1,  3,  5,  7,  9,  11, 13, 15, 17, 19, 21,
                                                    23, 25, 27, 29, 31, 33, 35, 37, 39, 41, 43,
                                                    45, 47, 49, 51, 53, 55, 57, 59, 61, 63};
  return _mm512_permutex2var_epi16(low, load(kOdd), high);
}

struct ToBfloat16 {
  using Element = uint16_t;
  static __m256i narrow(__m512 x) {
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded_to_bfloat16(x), 16));
  }
  static void store(uint16_t* to, const Floats& x, bool streamed) {
    __m512i part[4];
    for (size_t i = 0; i < 4; ++i) part[i] = rounded_to_bfloat16(x.part[i]);
    put(to, upper_halves(part[0], part[1]), streamed);
    put(to + 32, upper_halves(part[2], part[3]), streamed);
  }
};

// Calls step(codes, column, to, streamed) for each 64 columns from a multiple of 64 on. The first
// and the last are decoded whole to a buffer where only a part is wanted.
template <class Element, class Step>
void for_vectors(const CodedRow& row, size_t first, size_t count, Element* to, bool streamed,
                 const Step& step) {
  const size_t end = first + count, bytes = kWidth / 8 * static_cast<size_t>(row.bits);
  size_t c = first / kWidth * kWidth;
  const uint8_t* p = row.codes + c / kWidth * bytes;
  const bool aligned = reinterpret_cast<uintptr_t>(to - (first - c)) % 64 == 0;
  alignas(64) Element buffer[kWidth];
  for (; c < end; c += kWidth, p += bytes) {
    const bool is_whole = c >= first && c + kWidth <= end;
    step(p, c, is_whole ? to + (c - first) : buffer, is_whole && streamed && aligned);
    if (is_whole) continue;
    const size_t begin = std::max(c, first), until = std::min(end, c + kWidth);
    std::copy(buffer + (begin - c), buffer + (until - c), to + (begin - first));
  }
}

template <class Out, class Values, class Scales>
void decode_values(const CodedRow& row, size_t first, size_t count, const Values& values,
                   Scales scales, typename Out::Element* to, bool streamed) {
  const Spread<4, float_place> codes(row);
  for_vectors(row, first, count, to, streamed,
              [&](const uint8_t* p, size_t c, typename Out::Element* out, bool past_caches) {
                Floats x = values[codes(p)];
                scales.apply(c, x);
                Out::store(out, x, past_caches);
              });
}

template <class Out, class Scales>
void decode_columns(const CodedRow& row, size_t first, size_t count, const Scales& scales,
                    typename Out::Element* to, bool streamed) {
  if (WholeNumbers::fit(row)) {
    return decode_values<Out>(row, first, count, WholeNumbers(row), scales, to, streamed);
  }
  const Table values(row.values, size_t{1} << row.bits);
  decode_values<Out>(row, first, count, values, scales, to, streamed);
}

// Of blocks of many columns: the values of up to 16 codes are scaled and rounded beforehand, and
// the bytes of the halves looked up.
template <class Out>
void decode_halves(const CodedRow& row, size_t first, size_t count, uint16_t* to, bool streamed) {
  const Spread<8, half_place> codes(row);
  const __m512 values = _mm512_loadu_ps(row.values);
  size_t next = first / kWidth * kWidth / row.block * row.block;
  __m512i low{}, high{};
  for_vectors(row, first, count, to, streamed,
              [&](const uint8_t* p, size_t c, uint16_t* out, bool past_caches) {
                if (c >= next) {
                  const __m256i halves = Out::narrow(affine_of(row, next / row.block)(row, values));
                  low = _mm512_castsi128_si512(_mm256_cvtepi16_epi8(halves));
                  high = _mm512_castsi128_si512(_mm256_cvtepi16_epi8(_mm256_srli_epi16(halves, 8)));
                  next += row.block;
                }
                const __m512i bytes = codes(p);
                const __m512i lower = _mm512_permutexvar_epi8(bytes, low);
                const __m512i upper = _mm512_permutexvar_epi8(bytes, high);
                put(out, _mm512_unpacklo_epi8(lower, upper), past_caches);
                put(out + 32, _mm512_unpackhi_epi8(lower, upper), past_caches);
              });
}

template <class Out, bool kZeros>
void decode_few_groups(const CodedRow& row, size_t first, size_t count, typename Out::Element* to,
                       bool streamed) {
  if (row.shifts != nullptr) {
    return decode_columns<Out>(row, first, count, RegisterScales<kZeros, true>(row), to, streamed);
  }
  decode_columns<Out>(row, first, count, RegisterScales<kZeros, false>(row), to, streamed);
}

template <class Out>
void decode(const CodedRow& row, size_t first, size_t count, typename Out::Element* to,
            bool streamed) {
  if (row.groups != nullptr && row.column_groups <= RegisterScales<true, true>::kMost) {
    return row.zeros != nullptr ? decode_few_groups<Out, true>(row, first, count, to, streamed)
                                : decode_few_groups<Out, false>(row, first, count, to, streamed);
  }
  if (row.group_bytes != nullptr && row.shifts == nullptr) {
    if (row.zeros == nullptr) {
      return decode_columns<Out>(row, first, count, ListedScales<false>(row), to, streamed);
    }
    return decode_columns<Out>(row, first, count, ListedScales<true>(row), to, streamed);
  }
  if (row.groups != nullptr) {
    return decode_columns<Out>(row, first, count, GatheredScales(row), to, streamed);
  }
  if constexpr (sizeof(typename Out::Element) == 2) {
    const bool has_large_blocks = row.block % kWidth == 0 || row.column_groups == 1;
    if (row.bits <= 4 && has_large_blocks) {
      return decode_halves<Out>(row, first, count, to, streamed);
    }
  }
  decode_columns<Out>(row, first, count, BlockScales(row, first / kWidth * kWidth), to, streamed);
}

}  // namespace

void decode_coded_avx512(const CodedRow& row, size_t first, size_t count, float* to,
                         bool streamed) {
  decode<ToFloat>(row, first, count, to, streamed);
}

void decode_coded_to_half_avx512(const CodedRow& row, size_t first, size_t count, uint16_t* to,
                                 bool streamed) {
  decode<ToHalf>(row, first, count, to, streamed);
}

void decode_coded_to_bfloat16_avx512(const CodedRow& row, size_t first, size_t count, uint16_t* to,
                                     bool streamed) {
  decode<ToBfloat16>(row, first, count, to, streamed);
}

}  // namespace qspec

#endif
