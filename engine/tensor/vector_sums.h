// Sums of vectors of eight numbers, or of a multiple of it. Compiled for AVX2 and for AVX-512, so
// everything is local to the file that includes it.

#pragma once

#include <immintrin.h>

#include "engine/tensor/kernel_versions.h"
#include "engine/tensor/vector_numbers.h"

namespace qspec {
namespace {

constexpr size_t kEight = 8;

inline __m128i load_eight(const void* from) {
  return _mm_loadu_si128(static_cast<const __m128i*>(from));
}

inline void put_eight(void* to, __m128i numbers, bool past_caches) {
  if (past_caches) return _mm_stream_si128(static_cast<__m128i*>(to), numbers);
  _mm_storeu_si128(static_cast<__m128i*>(to), numbers);
}

struct FloatEights {
  static constexpr size_t kBytes = 32;
  static __m256 load(const uint8_t* from) {
    return _mm256_loadu_ps(reinterpret_cast<const float*>(from));
  }
  static __m256 rounded(__m256 x) { return x; }
  static void store(uint8_t* to, __m256 x, bool past_caches) {
    const __m256i numbers = _mm256_castps_si256(x);
    put_eight(to, _mm256_castsi256_si128(numbers), past_caches);
    put_eight(to + 16, _mm256_extracti128_si256(numbers, 1), past_caches);
  }
};

struct HalfEights {
  static constexpr size_t kBytes = 16;
  static __m256 load(const uint8_t* from) { return _mm256_cvtph_ps(load_eight(from)); }
  static __m128i narrowed(__m256 x) { return _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT); }
  static __m256 rounded(__m256 x) { return _mm256_cvtph_ps(narrowed(x)); }
  static void store(uint8_t* to, __m256 x, bool past_caches) {
    put_eight(to, narrowed(x), past_caches);
  }
};

struct Bfloat16Eights {
  static constexpr size_t kBytes = 16;
  static __m256 load(const uint8_t* from) {
    const __m256i lanes = _mm256_cvtepu16_epi32(load_eight(from));
    return _mm256_castsi256_ps(_mm256_slli_epi32(lanes, 16));
  }
  // In the lower halves of the lanes.
  static __m256i narrowed(__m256 x) {
    const __m256i bits = _mm256_castps_si256(x);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i more = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
    const __m256i upper = _mm256_srli_epi32(_mm256_add_epi32(bits, more), 16);
    const __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    return _mm256_blendv_epi8(upper, _mm256_set1_epi32(0x7fc0), is_nan);
  }
  static __m256 rounded(__m256 x) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(narrowed(x), 16));
  }
  static void store(uint8_t* to, __m256 x, bool past_caches) {
    const __m256i lanes = narrowed(x);
    const __m128i low = _mm256_castsi256_si128(lanes), high = _mm256_extracti128_si256(lanes, 1);
    put_eight(to, _mm_packus_epi32(low, high), past_caches);
  }
};

// The compiler has one loop for each number of books that is common, and one for the others (0).
// `codes` is a copy, so that no store may change it.
template <class Kind, class Code, size_t kBooks>
inline void sum_eights(VectorCodes codes, size_t count, uint8_t* to, bool past_caches) {
  const size_t books = kBooks != 0 ? kBooks : codes.books;
  const __m256 scale = _mm256_set1_ps(codes.scale);
  const size_t eights = codes.width / kEight;
  for (size_t i = 0; i < count; ++i) {
    for (size_t eight = 0; eight < eights; ++eight, to += Kind::kBytes) {
      const size_t place = eight * Kind::kBytes;
      __m256 total = Kind::load(vector_at<Code>(codes, i * books, 0) + place);
      for (size_t book = 1; book < books; ++book) {
        const uint8_t* vector = vector_at<Code>(codes, i * books + book, book);
        total = _mm256_add_ps(total, Kind::load(vector + place));
      }
      Kind::store(to, _mm256_mul_ps(Kind::rounded(total), scale), past_caches);
    }
  }
}

template <class Kind>
inline void sum_kind(const VectorCodes& codes, size_t count, uint8_t* to, bool past_caches) {
  with_code(codes, [&](auto zero) {
    using Code = decltype(zero);
    if (codes.books == 1) return sum_eights<Kind, Code, 1>(codes, count, to, past_caches);
    if (codes.books == 2) return sum_eights<Kind, Code, 2>(codes, count, to, past_caches);
    sum_eights<Kind, Code, 0>(codes, count, to, past_caches);
  });
}

inline void sum_vectors(const VectorCodes& codes, size_t count, void* to, bool streamed) {
  if (codes.width % kEight != 0) return sum_vectors_plain(codes, count, to, false);
  auto* bytes = static_cast<uint8_t*>(to);
  const bool past_caches = streamed && reinterpret_cast<uintptr_t>(to) % 16 == 0;
  if (codes.kind == Rounding::kHalf) return sum_kind<HalfEights>(codes, count, bytes, past_caches);
  if (codes.kind == Rounding::kNone) return sum_kind<FloatEights>(codes, count, bytes, past_caches);
  sum_kind<Bfloat16Eights>(codes, count, bytes, past_caches);
}

}  // namespace
}  // namespace qspec
