#if defined(__x86_64__)

#include <immintrin.h>

#include <cstring>

#include "engine/tensor/coded_lanes.h"
#include "engine/tensor/kernel_versions.h"

namespace qspec {
namespace {

struct Lanes {
  using Floats = __m256;
  static constexpr size_t kCount = 8;

  static Floats load(const float* from) { return _mm256_loadu_ps(from); }
  static void store(float* to, Floats x) { _mm256_storeu_ps(to, x); }
  static Floats all(float x) { return _mm256_set1_ps(x); }
  static Floats sub(Floats a, Floats b) { return _mm256_sub_ps(a, b); }
  static Floats mul(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
  static Floats add(Floats a, Floats b) { return _mm256_add_ps(a, b); }
  static Floats gather(const float* from, const int32_t* index) {
    const __m256i lanes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(index));
    return _mm256_i32gather_ps(from, lanes, sizeof(float));
  }
  static Floats rounded(Rounding rounding, Floats x) {
    alignas(16) uint16_t halves[kCount];
    alignas(32) float floats[kCount];
    store(floats, x);
    if (rounding == Rounding::kHalf) {
      float_to_half_avx2(floats, kCount, halves);
      half_to_float_avx2(halves, kCount, floats);
    } else {
      float_to_bfloat16_avx2(floats, kCount, halves);
      bfloat16_to_float_avx2(halves, kCount, floats);
    }
    return load(floats);
  }
};

using Affine = coded::Affine<Lanes>;

struct ToFloat {
  using Element = float;
  static void store(float* to, __m256 x) { _mm256_storeu_ps(to, x); }
  static void narrow(const float* x, size_t count, float* to) { std::copy_n(x, count, to); }
};

// Of halves: how a vector, and how any number of floats, is narrowed.
struct ToHalf {
  using Element = uint16_t;
  static void store(uint16_t* to, __m256 x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
  }
  static void narrow(const float* x, size_t count, uint16_t* to) {
    float_to_half_avx2(x, count, to);
  }
};

struct ToBfloat16 {
  using Element = uint16_t;
  static void store(uint16_t* to, __m256 x) {
    const __m256i bits = _mm256_castps_si256(x);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i below_half = _mm256_set1_epi32(0x7fff);
    const __m256i sum = _mm256_add_epi32(_mm256_add_epi32(bits, below_half), odd);
    const __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    const __m256i wide =
        _mm256_blendv_epi8(_mm256_srli_epi32(sum, 16), _mm256_set1_epi32(0x7fc0), is_nan);
    const __m128i halves =
        _mm_packus_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), halves);
  }
  static void narrow(const float* x, size_t count, uint16_t* to) {
    float_to_bfloat16_avx2(x, count, to);
  }
};

__m256i multiples(int step) {
  return _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(step));
}

// Codes of 1 to 4 bits; see coded_avx512.cc. The table is two registers, between which bit 3 of the
// code chooses.
class FewBits {
 public:
  static size_t bytes(const CodedRow&) { return 4; }

  explicit FewBits(const CodedRow& row)
      : FewBits(row, _mm256_loadu_ps(row.values), _mm256_loadu_ps(row.values + 8)) {}
  FewBits(const CodedRow& row, __m256 low, __m256 high)
      : shifts_(_mm256_xor_si256(multiples(row.bits), _mm256_set1_epi32(row.high_first ? 4 : 0))),
        low_(low),
        high_(high) {}

  __m256 at(const uint8_t* p) const {
    int32_t word = 0;
    std::memcpy(&word, p, sizeof word);
    const __m256i codes = _mm256_srlv_epi32(_mm256_set1_epi32(word), shifts_);
    const __m256 choose_high = _mm256_castsi256_ps(_mm256_slli_epi32(codes, 28));
    return _mm256_blendv_ps(_mm256_permutevar8x32_ps(low_, codes),
                            _mm256_permutevar8x32_ps(high_, codes), choose_high);
  }

 private:
  __m256i shifts_;
  __m256 low_;
  __m256 high_;
};

// Codes of 5 to 7 bits: eight of them lie within 64 bits.
class MiddleBits {
 public:
  static size_t bytes(const CodedRow&) { return 8; }

  explicit MiddleBits(const CodedRow& row)
      : first_(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(multiples(row.bits)))),
        last_(_mm256_cvtepi32_epi64(_mm256_extracti128_si256(multiples(row.bits), 1))),
        mask_(_mm256_set1_epi32((1 << row.bits) - 1)),
        values_(row.values) {}

  __m256 at(const uint8_t* p) const {
    int64_t word = 0;
    std::memcpy(&word, p, sizeof word);
    const __m256i words = _mm256_set1_epi64x(word);
    const __m256 codes =
        _mm256_shuffle_ps(_mm256_castsi256_ps(_mm256_srlv_epi64(words, first_)),
                          _mm256_castsi256_ps(_mm256_srlv_epi64(words, last_)), 0x88);
    const __m256i in_order = _mm256_permute4x64_epi64(_mm256_castps_si256(codes), 0xd8);
    return _mm256_i32gather_ps(values_, _mm256_and_si256(in_order, mask_), sizeof(float));
  }

 private:
  __m256i first_;
  __m256i last_;
  __m256i mask_;
  const float* values_;
};

template <class Convert>
class Bytes {
 public:
  static size_t bytes(const CodedRow&) { return Lanes::kCount; }

  explicit Bytes(const CodedRow& row) : convert_(row) {}

  __m256 at(const uint8_t* p) const {
    return convert_(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  }

 private:
  Convert convert_;
};

struct Offset {
  explicit Offset(const CodedRow& row) : base(_mm256_set1_ps(row.base)) {}
  __m256 operator()(__m128i codes) const {
    return _mm256_add_ps(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(codes)), base);
  }
  __m256 base;
};

struct Signed {
  explicit Signed(const CodedRow&) {}
  __m256 operator()(__m128i codes) const { return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(codes)); }
};

// The same exponent and mantissa as a float16 is 2^8 times smaller, subnormal or not.
struct E4m3 {
  explicit E4m3(const CodedRow&) {}
  __m256 operator()(__m128i codes) const {
    const __m128i words = _mm_slli_epi16(_mm_cvtepi8_epi16(codes), 7);
    const __m128i half = _mm_and_si128(words, _mm_set1_epi16(static_cast<short>(0xbf80)));
    const __m256 value = _mm256_mul_ps(_mm256_cvtph_ps(half), _mm256_set1_ps(0x1p8f));
    const __m128i magnitude = _mm_and_si128(words, _mm_set1_epi16(0x3f80));
    const __m128i is_nan = _mm_cmpeq_epi16(magnitude, _mm_set1_epi16(0x3f80));
    const __m256i nan =
        _mm256_and_si256(_mm256_cvtepi16_epi32(is_nan), _mm256_set1_epi32(0x7fc00000));
    return _mm256_or_ps(value, _mm256_castsi256_ps(nan));
  }
};

struct Lookup {
  explicit Lookup(const CodedRow& row) : values(row.values) {}
  __m256 operator()(__m128i codes) const {
    return _mm256_i32gather_ps(values, _mm256_cvtepu8_epi32(codes), sizeof(float));
  }
  const float* values;
};

// A group's values are scaled beforehand and its codes looked up among them.
template <class Out>
class ScaledTable {
 public:
  struct Group {
    void decode(const uint8_t* p, typename Out::Element* to) const { Out::store(to, codes.at(p)); }
    FewBits codes;
  };

  explicit ScaledTable(const CodedRow& row) : row_(row) {}
  Group operator()(const Affine& affine) const {
    return {FewBits(row_, affine.in_steps(row_, _mm256_loadu_ps(row_.values)),
                    affine.in_steps(row_, _mm256_loadu_ps(row_.values + 8)))};
  }

 private:
  const CodedRow& row_;
};

template <class Out>
void decode_tables(const CodedRow& row, size_t first, size_t count, typename Out::Element* to) {
  size_t limit = 0;
  if (!coded::last_column(row, FewBits::bytes(row), limit)) {
    return coded::decode_plainly<Out>(row, first, count, to);
  }
  coded::decode_groups<Lanes, Out>(row, first, count, limit, Lanes::kCount, ScaledTable<Out>(row),
                                   to);
}

template <class Out>
void decode(const CodedRow& row, size_t first, size_t count, typename Out::Element* to) {
  using coded::decode_converted;
  if (row.bits <= 4 && (row.groups != nullptr || coded::SmallGroups<Lanes>::fit(row))) {
    return decode_converted<Lanes, Out, FewBits>(row, first, count, to);
  }
  if (row.bits <= 4) return decode_tables<Out>(row, first, count, to);
  if (row.bits < 8) return decode_converted<Lanes, Out, MiddleBits>(row, first, count, to);
  if (row.kind == CodeValues::kOffset) {
    return decode_converted<Lanes, Out, Bytes<Offset>>(row, first, count, to);
  }
  if (row.kind == CodeValues::kSigned) {
    return decode_converted<Lanes, Out, Bytes<Signed>>(row, first, count, to);
  }
  if (row.kind == CodeValues::kE4m3) {
    return decode_converted<Lanes, Out, Bytes<E4m3>>(row, first, count, to);
  }
  decode_converted<Lanes, Out, Bytes<Lookup>>(row, first, count, to);
}

// Past the caches by way of a buffer, so short that reading and writing go on at once.
template <class Out>
void decode_anywhere(const CodedRow& row, size_t first, size_t count, typename Out::Element* to,
                     bool streamed) {
  using Element = typename Out::Element;
  constexpr size_t kBuffer = 512;
  if (!streamed) return decode<Out>(row, first, count, to);
  alignas(64) Element buffer[kBuffer];
  for (size_t done = 0; done < count; done += kBuffer) {
    const size_t part = std::min(kBuffer, count - done);
    decode<Out>(row, first + done, part, buffer);
    stream_avx2(buffer, part * sizeof(Element), to + done);
  }
}

}  // namespace

void decode_coded_avx2(const CodedRow& row, size_t first, size_t count, float* to, bool streamed) {
  decode_anywhere<ToFloat>(row, first, count, to, streamed);
}

void decode_coded_to_half_avx2(const CodedRow& row, size_t first, size_t count, uint16_t* to,
                               bool streamed) {
  decode_anywhere<ToHalf>(row, first, count, to, streamed);
}

void decode_coded_to_bfloat16_avx2(const CodedRow& row, size_t first, size_t count, uint16_t* to,
                                   bool streamed) {
  decode_anywhere<ToBfloat16>(row, first, count, to, streamed);
}

}  // namespace qspec

#endif
