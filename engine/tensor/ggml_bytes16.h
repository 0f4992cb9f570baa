// Sixteen bytes at once: a register where the instruction set has one, a loop otherwise. Included
// through ggml_lanes.h, which says how.

#pragma once

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include <cstdint>

namespace qspec {
namespace {

#if defined(__AVX2__)

using Bytes16 = __m128i;

inline Bytes16 load16(const void* bytes) {
  return _mm_loadu_si128(static_cast<const __m128i*>(bytes));
}

inline Bytes16 all16(int byte) {
  return _mm_set1_epi8(static_cast<char>(byte));
}

// Each byte shifted right, then `mask` of it.
inline Bytes16 field16(Bytes16 bytes, int by, int mask) {
  return _mm_and_si128(_mm_srl_epi16(bytes, _mm_cvtsi32_si128(by)), all16(mask));
}

// a | b << by, where nothing leaves its byte.
inline Bytes16 joined16(Bytes16 a, Bytes16 b, int by) {
  return _mm_or_si128(a, _mm_sll_epi16(b, _mm_cvtsi32_si128(by)));
}

inline Bytes16 minus16(Bytes16 a, int b) {
  return _mm_sub_epi8(a, all16(b));
}

// table[each byte], bytes below 16.
inline Bytes16 looked_up16(const int8_t* table, Bytes16 codes) {
  return _mm_shuffle_epi8(load16(table), codes);
}

// Whether each of the 16 bits is set.
inline Bytes16 is_set16(uint32_t bits) {
  const __m128i words = _mm_set1_epi16(static_cast<short>(bits));
  const __m128i places = _mm_set_epi64x(0x0101010101010101, 0);
  const __m128i each = _mm_set1_epi64x(static_cast<long long>(0x8040201008040201));
  const __m128i found = _mm_and_si128(_mm_shuffle_epi8(words, places), each);
  return _mm_cmpeq_epi8(found, each);
}

// Bits first to first + 15 of four bytes, each as 0 or 1.
inline Bytes16 spread16(uint32_t bits, int first) {
  return _mm_and_si128(is_set16(bits >> first), all16(1));
}

// The bytes of which bit i of `signs` is set, negated.
inline Bytes16 signed16(Bytes16 bytes, uint32_t signs) {
  const __m128i negated = is_set16(signs);
  return _mm_sub_epi8(_mm_xor_si128(bytes, negated), negated);
}

// Eight bytes and eight more.
inline Bytes16 pair16(uint64_t low, uint64_t high) {
  return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
}

#if defined(__AVX512F__)

// The bytes as signed numbers, times `scale`; then less `shift`.
inline void scale16(Bytes16 bytes, float scale, float* to) {
  const __m512 values = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
  _mm512_storeu_ps(to, _mm512_mul_ps(_mm512_set1_ps(scale), values));
}

inline void scale16(Bytes16 bytes, float scale, float shift, float* to) {
  const __m512 values = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
  const __m512 product = _mm512_mul_ps(_mm512_set1_ps(scale), values);
  _mm512_storeu_ps(to, _mm512_sub_ps(product, _mm512_set1_ps(shift)));
}

#else

inline __m256 floats8(Bytes16 bytes) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
}

inline void scale16(Bytes16 bytes, float scale, float* to) {
  const __m256 by = _mm256_set1_ps(scale);
  _mm256_storeu_ps(to, _mm256_mul_ps(by, floats8(bytes)));
  _mm256_storeu_ps(to + 8, _mm256_mul_ps(by, floats8(_mm_srli_si128(bytes, 8))));
}

inline void scale16(Bytes16 bytes, float scale, float shift, float* to) {
  const __m256 by = _mm256_set1_ps(scale), less = _mm256_set1_ps(shift);
  const __m256 low = _mm256_mul_ps(by, floats8(bytes));
  const __m256 high = _mm256_mul_ps(by, floats8(_mm_srli_si128(bytes, 8)));
  _mm256_storeu_ps(to, _mm256_sub_ps(low, less));
  _mm256_storeu_ps(to + 8, _mm256_sub_ps(high, less));
}

#endif

#else

struct Bytes16 {
  uint8_t at[16];
};

template <class Each>
inline Bytes16 made16(const Each& each) {
  Bytes16 made;
  for (int i = 0; i < 16; ++i) made.at[i] = static_cast<uint8_t>(each(i));
  return made;
}

inline Bytes16 load16(const void* bytes) {
  return made16([from = static_cast<const uint8_t*>(bytes)](int i) { return from[i]; });
}

inline Bytes16 field16(const Bytes16& bytes, int by, int mask) {
  return made16([&](int i) { return bytes.at[i] >> by & mask; });
}

inline Bytes16 joined16(const Bytes16& a, const Bytes16& b, int by) {
  return made16([&](int i) { return a.at[i] | b.at[i] << by; });
}

inline Bytes16 minus16(const Bytes16& a, int b) {
  return made16([&](int i) { return a.at[i] - b; });
}

inline Bytes16 looked_up16(const int8_t* table, const Bytes16& codes) {
  return made16([&](int i) { return table[codes.at[i]]; });
}

inline Bytes16 spread16(uint32_t bits, int first) {
  return made16([&](int i) { return bits >> (first + i) & 1; });
}

inline Bytes16 signed16(const Bytes16& bytes, uint32_t signs) {
  return made16([&](int i) { return (signs >> i & 1) != 0 ? -bytes.at[i] : bytes.at[i]; });
}

inline Bytes16 pair16(uint64_t low, uint64_t high) {
  return made16([&](int i) { return (i < 8 ? low : high) >> 8 * (i % 8); });
}

inline void scale16(const Bytes16& bytes, float scale, float* to) {
  for (int i = 0; i < 16; ++i) {
    to[i] = scale * static_cast<float>(static_cast<int8_t>(bytes.at[i]));
  }
}

inline void scale16(const Bytes16& bytes, float scale, float shift, float* to) {
  for (int i = 0; i < 16; ++i) {
    to[i] = scale * static_cast<float>(static_cast<int8_t>(bytes.at[i])) - shift;
  }
}

#endif

inline Bytes16 low_nibbles(const Bytes16& bytes) {
  return field16(bytes, 0, 15);
}

inline Bytes16 high_nibbles(const Bytes16& bytes) {
  return field16(bytes, 4, 15);
}

}  // namespace
}  // namespace qspec
