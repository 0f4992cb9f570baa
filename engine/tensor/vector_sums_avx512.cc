#if defined(__x86_64__)

#include "engine/tensor/vector_sums.h"

namespace qspec {
namespace {

// Vectors of eight numbers of two bytes, one after the other, are summed two at a time, and four
// fill a line of the cache.
constexpr size_t kFour = 4;
constexpr size_t kVectorBytes = 16;

__m256i load_pair(const uint8_t* first, const uint8_t* second) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(load_eight(first)), load_eight(second), 1);
}

struct HalfPairs {
  static __m512 load(const uint8_t* first, const uint8_t* second) {
    return _mm512_cvtph_ps(load_pair(first, second));
  }
  static __m256i narrowed(__m512 x) { return _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT); }
  static __m512 rounded(__m512 x) { return _mm512_cvtph_ps(narrowed(x)); }
};

struct Bfloat16Pairs {
  static __m512 widened(__m256i numbers) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(numbers), 16));
  }
  static __m512 load(const uint8_t* first, const uint8_t* second) {
    return widened(load_pair(first, second));
  }
  static __m256i narrowed(__m512 x) {
    const __m512i bits = _mm512_castps_si512(x);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i more = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
    const __mmask16 is_number = _mm512_cmp_ps_mask(x, x, _CMP_ORD_Q);
    const __m512i sum = _mm512_mask_add_epi32(_mm512_set1_epi32(0x7fc00000), is_number, bits, more);
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(sum, 16));
  }
  static __m512 rounded(__m512 x) { return widened(narrowed(x)); }
};

// Vectors `first` and the next one.
template <class Pairs, class Code, size_t kBooks>
__m256i sum_pair(const VectorCodes& codes, size_t first, __m512 scale) {
  const auto load = [&](size_t book) {
    const uint8_t* numbers = codes.numbers + book * codes.book_bytes;
    const size_t index = first * kBooks + book;
    return Pairs::load(numbers + vector_code<Code>(codes, index) * kVectorBytes,
                       numbers + vector_code<Code>(codes, index + kBooks) * kVectorBytes);
  };
  __m512 total = load(0);
  for (size_t book = 1; book < kBooks; ++book) total = _mm512_add_ps(total, load(book));
  return Pairs::narrowed(_mm512_mul_ps(Pairs::rounded(total), scale));
}

// `codes` is a copy, so that no store may change it.
template <class Pairs, class Code, size_t kBooks>
void sum_fours(VectorCodes codes, size_t count, uint8_t* to, bool past_caches) {
  const __m512 scale = _mm512_set1_ps(codes.scale);
  for (size_t i = 0; i < count; i += kFour, to += kFour * kVectorBytes) {
    const __m256i low = sum_pair<Pairs, Code, kBooks>(codes, i, scale);
    const __m256i high = sum_pair<Pairs, Code, kBooks>(codes, i + 2, scale);
    const __m512i line = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
    if (past_caches) {
      _mm512_stream_si512(reinterpret_cast<__m512i*>(to), line);
    } else {
      _mm512_storeu_si512(to, line);
    }
  }
}

template <class Pairs>
void sum_kind_of_fours(const VectorCodes& codes, size_t count, uint8_t* to, bool past_caches) {
  with_code(codes, [&](auto zero) {
    using Code = decltype(zero);
    if (codes.books == 1) return sum_fours<Pairs, Code, 1>(codes, count, to, past_caches);
    sum_fours<Pairs, Code, 2>(codes, count, to, past_caches);
  });
}

}  // namespace

void sum_vectors_avx512(const VectorCodes& codes, size_t count, void* to, bool streamed) {
  const bool is_common = codes.kind != Rounding::kNone && codes.width == kEight &&
                         codes.vector_bytes == kVectorBytes && codes.books <= 2;
  if (!is_common) return sum_vectors(codes, count, to, streamed);
  auto* bytes = static_cast<uint8_t*>(to);
  const bool past_caches = streamed && reinterpret_cast<uintptr_t>(to) % 64 == 0;
  const size_t fours = count / kFour * kFour;
  if (codes.kind == Rounding::kHalf) {
    sum_kind_of_fours<HalfPairs>(codes, fours, bytes, past_caches);
  } else {
    sum_kind_of_fours<Bfloat16Pairs>(codes, fours, bytes, past_caches);
  }
  VectorCodes rest = codes;
  rest.codes += fours * codes.books * codes.code_bytes;
  sum_vectors(rest, count - fours, bytes + fours * kVectorBytes, streamed);
}

}  // namespace qspec

#endif
