// 64 codes of 1 to 8 bits, a byte each. For coded_avx512.cc alone: local to the file that
// includes it.

#pragma once

#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/tensor/kernels.h"

namespace qspec {
namespace {

// Codes are decoded 64 at once. Their bits are spread to a byte each, and a number is looked up for
// each byte by permutes, some twenty times quicker than gathering them.
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

}  // namespace
}  // namespace qspec
