#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>

#include "engine/tensor/avx512_codes.h"
#include "engine/tensor/avx512_scales.h"
#include "engine/tensor/avx512_values.h"
#include "engine/tensor/kernel_versions.h"

namespace qspec {
namespace {

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
  with_steps(row, [&](auto steps) {
    const BlockScales<decltype(steps)> scales(row, first / kWidth * kWidth);
    decode_columns<Out>(row, first, count, scales, to, streamed);
  });
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
