#if defined(__x86_64__)

#include <immintrin.h>

#include <cstring>

#include "engine/tensor/coded_lanes.h"
#include "engine/tensor/kernel_versions.h"

namespace qspec {
namespace {

struct Lanes {
  using Floats = __m512;
  static constexpr size_t kCount = 16;

  static Floats load(const float* from) { return _mm512_loadu_ps(from); }
  static void store(float* to, Floats x) { _mm512_storeu_ps(to, x); }
  static Floats all(float x) { return _mm512_set1_ps(x); }
  static Floats sub(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
  static Floats mul(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
  static Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
  static Floats gather(const float* from, const int32_t* index) {
    return _mm512_i32gather_ps(_mm512_loadu_si512(index), from, sizeof(float));
  }
};

using Affine = coded::Affine<Lanes>;

struct ToFloat {
  using Element = float;
  static void store(float* to, __m512 x) { _mm512_storeu_ps(to, x); }
  static void narrow(const float* x, size_t count, float* to) { std::copy_n(x, count, to); }
};

struct ToHalf {
  using Element = uint16_t;
  static __m256i rounded(__m512 x) { return _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT); }
  static void store(uint16_t* to, __m512 x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), rounded(x));
  }
  static void narrow(const float* x, size_t count, uint16_t* to) {
    float_to_half_avx512(x, count, to);
  }
};

struct ToBfloat16 {
  using Element = uint16_t;
  static __m256i rounded(__m512 x) {
    const __m512i bits = _mm512_castps_si512(x);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i below_half = _mm512_set1_epi32(0x7fff);
    const __m512i sum = _mm512_add_epi32(_mm512_add_epi32(bits, below_half), odd);
    const __mmask16 is_nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    const __m512i nan = _mm512_set1_epi32(0x7fc00000);
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_mask_mov_epi32(sum, is_nan, nan), 16));
  }
  static void store(uint16_t* to, __m512 x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), rounded(x));
  }
  static void narrow(const float* x, size_t count, uint16_t* to) {
    float_to_bfloat16_avx512(x, count, to);
  }
};

int32_t word_at(const uint8_t* p) {
  int32_t word = 0;
  std::memcpy(&word, p, sizeof word);
  return word;
}

int64_t long_at(const uint8_t* p) {
  int64_t word = 0;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// `step` times the number of each lane, which begins again with 0 after eight.
__m512i multiples(int step) {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7);
  return _mm512_mullo_epi32(lanes, _mm512_set1_epi32(step));
}

// Codes of 1 to 4 bits: eight of them lie within the 32 bits from their first byte on, so that one
// shift brings each to the bottom of its lane. A permute looks at four bits; where a code has
// fewer, the table repeats itself.
class FewBits {
 public:
  static size_t bytes(const CodedRow& row) { return static_cast<size_t>(row.bits) + 4; }

  explicit FewBits(const CodedRow& row) : FewBits(row, _mm512_loadu_ps(row.values)) {}
  FewBits(const CodedRow& row, __m512 table)
      : bits_(row.bits), shifts_(multiples(row.bits)), table_(table) {}

  __m512 at(const uint8_t* p) const {
    const __m512i first = _mm512_set1_epi32(word_at(p));
    const __m512i words = _mm512_mask_set1_epi32(first, 0xff00, word_at(p + bits_));
    return _mm512_permutexvar_ps(_mm512_srlv_epi32(words, shifts_), table_);
  }

 private:
  int bits_;
  __m512i shifts_;
  __m512 table_;
};

// Codes of 5 to 7 bits: eight of them lie within 64 bits.
class MiddleBits {
 public:
  static size_t bytes(const CodedRow& row) { return static_cast<size_t>(row.bits) + 8; }

  explicit MiddleBits(const CodedRow& row)
      : bits_(row.bits),
        shifts_(_mm512_cvtepi32_epi64(_mm512_castsi512_si256(multiples(row.bits)))),
        mask_(_mm512_set1_epi32((1 << row.bits) - 1)),
        values_(row.values) {}

  __m512 at(const uint8_t* p) const {
    const __m512i codes = _mm512_inserti64x4(_mm512_castsi256_si512(eight(p)), eight(p + bits_), 1);
    return _mm512_i32gather_ps(_mm512_and_si512(codes, mask_), values_, sizeof(float));
  }

 private:
  __m256i eight(const uint8_t* p) const {
    return _mm512_cvtepi64_epi32(_mm512_srlv_epi64(_mm512_set1_epi64(long_at(p)), shifts_));
  }

  int bits_;
  __m512i shifts_;
  __m512i mask_;
  const float* values_;
};

template <class Convert>
class Bytes {
 public:
  static size_t bytes(const CodedRow&) { return Lanes::kCount; }

  explicit Bytes(const CodedRow& row) : convert_(row) {}

  __m512 at(const uint8_t* p) const {
    return convert_(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }

 private:
  Convert convert_;
};

struct Offset {
  explicit Offset(const CodedRow& row) : base(_mm512_set1_ps(row.base)) {}
  __m512 operator()(__m128i codes) const {
    return _mm512_add_ps(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(codes)), base);
  }
  __m512 base;
};

struct Signed {
  explicit Signed(const CodedRow&) {}
  __m512 operator()(__m128i codes) const { return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(codes)); }
};

// The same exponent and mantissa as a float16 is 2^8 times smaller, subnormal or not.
struct E4m3 {
  explicit E4m3(const CodedRow&) {}
  __m512 operator()(__m128i codes) const {
    const __m256i words = _mm256_slli_epi16(_mm256_cvtepi8_epi16(codes), 7);
    const __m256i half = _mm256_and_si256(words, _mm256_set1_epi16(static_cast<short>(0xbf80)));
    const __m512 value = _mm512_mul_ps(_mm512_cvtph_ps(half), _mm512_set1_ps(0x1p8f));
    const __m256i magnitude = _mm256_and_si256(words, _mm256_set1_epi16(0x3f80));
    const __mmask16 is_nan = _mm256_cmpeq_epi16_mask(magnitude, _mm256_set1_epi16(0x3f80));
    const __m512 nan = _mm512_castsi512_ps(_mm512_set1_epi32(0x7fc00000));
    return _mm512_mask_or_ps(value, is_nan, value, nan);
  }
};

struct Lookup {
  explicit Lookup(const CodedRow& row) : values(row.values) {}
  __m512 operator()(__m128i codes) const {
    return _mm512_i32gather_ps(_mm512_cvtepu8_epi32(codes), values, sizeof(float));
  }
  const float* values;
};

// Up to 32 * kPairs numbers in registers, found by permutes: several times faster than a gather.
constexpr size_t kMostPermuted = 128;

template <size_t kPairs>
class Permuted {
 public:
  void take(const float* from, size_t count) {
    for (size_t k = 0; k < 2 * kPairs; ++k) {
      const size_t left = count > 16 * k ? count - 16 * k : 0;
      const __mmask16 there = left >= 16 ? 0xffff : static_cast<__mmask16>((1u << left) - 1);
      parts_[k] = _mm512_maskz_loadu_ps(there, from + 16 * k);
    }
  }

  __m512 at(__m512i index, const __mmask16* in_pair) const {
    __m512 found = _mm512_permutex2var_ps(parts_[0], index, parts_[1]);
    for (size_t k = 1; k < kPairs; ++k) {
      found = _mm512_mask_mov_ps(found, in_pair[k],
                                 _mm512_permutex2var_ps(parts_[2 * k], index, parts_[2 * k + 1]));
    }
    return found;
  }

 private:
  __m512 parts_[kPairs > 0 ? 2 * kPairs : 1];
};

template <size_t kPairs, bool kZeros>
class PermutedScales {
 public:
  static constexpr size_t kStart = coded::kAligned;

  explicit PermutedScales(const CodedRow& row) : groups_(row.groups) {
    if constexpr (kZeros) zeros_.take(row.zeros, row.column_groups);
    scales_.take(row.scales, row.column_groups);
  }

  Affine operator()(size_t column) const {
    const __m512i index = _mm512_loadu_si512(groups_ + column);
    const __m512i pair = _mm512_srli_epi32(index, 5);
    __mmask16 in_pair[kPairs] = {};
    for (size_t k = 1; k < kPairs; ++k) {
      in_pair[k] = _mm512_cmpeq_epi32_mask(pair, _mm512_set1_epi32(static_cast<int>(k)));
    }
    __m512 zero = _mm512_setzero_ps();
    if constexpr (kZeros) zero = zeros_.at(index, in_pair);
    return {zero, scales_.at(index, in_pair), _mm512_set1_ps(-0.0f)};
  }

 private:
  const int32_t* groups_;
  Permuted<kZeros ? kPairs : 0> zeros_;
  Permuted<kPairs> scales_;
};

// Columns with groups of their own, when the scales fit into registers.
template <class Out, class Codes, bool kZeros>
void decode_permuted(const CodedRow& row, size_t first, size_t count, size_t limit,
                     typename Out::Element* to) {
  const auto with = [&](const auto& scales) {
    coded::decode_columns<Lanes, Out, Codes>(row, first, count, limit, scales, to);
  };
  if (row.column_groups <= 32) return with(PermutedScales<1, kZeros>(row));
  if (row.column_groups <= 64) return with(PermutedScales<2, kZeros>(row));
  if (row.column_groups <= 96) return with(PermutedScales<3, kZeros>(row));
  with(PermutedScales<4, kZeros>(row));
}

template <class Out, class Codes>
void decode_converted(const CodedRow& row, size_t first, size_t count, typename Out::Element* to) {
  size_t limit = 0;
  const bool permuted =
      row.groups != nullptr && row.column_groups <= kMostPermuted && row.shifts == nullptr;
  if (!permuted || !coded::last_column(row, Codes::bytes(row), limit)) {
    return coded::decode_converted<Lanes, Out, Codes>(row, first, count, to);
  }
  if (row.zeros != nullptr) return decode_permuted<Out, Codes, true>(row, first, count, limit, to);
  decode_permuted<Out, Codes, false>(row, first, count, limit, to);
}

// A group's values are scaled beforehand and its codes looked up among them.
template <class Out>
struct ScaledTable : FewBits {
  static constexpr size_t kWidth = 16;
  static size_t bytes(const CodedRow& row) { return FewBits::bytes(row); }

  struct Group {
    void decode(const uint8_t* p, float* to) const { Out::store(to, codes.at(p)); }
    FewBits codes;
  };

  explicit ScaledTable(const CodedRow& row) : FewBits(row), row_(row) {}
  Group operator()(const Affine& affine) const {
    return {FewBits(row_, affine.in_steps(row_, _mm512_loadu_ps(row_.values)))};
  }

 private:
  const CodedRow& row_;
};

// The same with values that are rounded to halves beforehand, 32 codes at once: the even ones are
// shifted down to the bottom of 32-bit lanes, the odd ones to their middle.
template <class Out>
class HalfTable {
 public:
  static constexpr size_t kWidth = 32;
  static size_t bytes(const CodedRow&) { return 16; }

  struct Group {
    void decode(const uint8_t* p, uint16_t* to) const {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
      const __m512i words = _mm512_permutexvar_epi32(
          table.four_lanes_each_, _mm512_castsi128_si512(_mm_shuffle_epi8(bytes, table.spread_)));
      const __m512i even = _mm512_srlv_epi32(words, table.to_bottom_);
      const __m512i odd = _mm512_rorv_epi32(words, table.to_middle_);
      const __m512i codes = _mm512_mask_mov_epi16(even, 0xaaaaaaaa, odd);
      _mm512_storeu_si512(to, _mm512_permutexvar_epi16(codes, halves));
    }
    const HalfTable& table;
    __m512i halves;
  };

  explicit HalfTable(const CodedRow& row) : row_(row) {
    const int bits = row.bits;
    alignas(16) int8_t spread[16];
    alignas(64) int32_t bottom[16], middle[16];
    for (int i = 0; i < 16; ++i) {
      spread[i] = static_cast<int8_t>(i / 4 * bits + i % 4);
      bottom[i] = 2 * bits * (i % 4);
      middle[i] = (bottom[i] + bits + 16) % 32;
    }
    spread_ = _mm_load_si128(reinterpret_cast<const __m128i*>(spread));
    to_bottom_ = _mm512_load_si512(bottom);
    to_middle_ = _mm512_load_si512(middle);
    four_lanes_each_ = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    values_ = _mm512_loadu_ps(row.values);
  }

  Group operator()(const Affine& affine) const {
    const __m512i halves = _mm512_castsi256_si512(Out::rounded(affine.in_steps(row_, values_)));
    return {*this, _mm512_shuffle_i64x2(halves, halves, 0x44)};
  }

 private:
  const CodedRow& row_;
  __m128i spread_;
  __m512i to_bottom_, to_middle_, four_lanes_each_;
  __m512 values_;
};

template <class Out, class Table>
void decode_tables(const CodedRow& row, size_t first, size_t count, typename Out::Element* to) {
  size_t limit = 0;
  if (!coded::last_column(row, Table::bytes(row), limit)) {
    return coded::decode_plainly<Out>(row, first, count, to);
  }
  coded::decode_groups<Lanes, Out>(row, first, count, limit, Table::kWidth, Table(row), to);
}

template <class Out, class Table>
void decode(const CodedRow& row, size_t first, size_t count, typename Out::Element* to) {
  if (row.bits <= 4 && (row.groups != nullptr || coded::SmallGroups<Lanes>::fit(row))) {
    return decode_converted<Out, FewBits>(row, first, count, to);
  }
  if (row.bits <= 4) return decode_tables<Out, Table>(row, first, count, to);
  if (row.bits < 8) return decode_converted<Out, MiddleBits>(row, first, count, to);
  if (row.kind == CodeValues::kOffset) {
    return decode_converted<Out, Bytes<Offset>>(row, first, count, to);
  }
  if (row.kind == CodeValues::kSigned) {
    return decode_converted<Out, Bytes<Signed>>(row, first, count, to);
  }
  if (row.kind == CodeValues::kE4m3) {
    return decode_converted<Out, Bytes<E4m3>>(row, first, count, to);
  }
  decode_converted<Out, Bytes<Lookup>>(row, first, count, to);
}

}  // namespace

void decode_coded_avx512(const CodedRow& row, size_t first, size_t count, float* to) {
  decode<ToFloat, ScaledTable<ToFloat>>(row, first, count, to);
}

void decode_coded_to_half_avx512(const CodedRow& row, size_t first, size_t count, uint16_t* to) {
  decode<ToHalf, HalfTable<ToHalf>>(row, first, count, to);
}

void decode_coded_to_bfloat16_avx512(const CodedRow& row, size_t first, size_t count,
                                     uint16_t* to) {
  decode<ToBfloat16, HalfTable<ToBfloat16>>(row, first, count, to);
}

}  // namespace qspec

#endif
