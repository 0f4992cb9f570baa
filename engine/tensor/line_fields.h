// Fields of words in lines of 64 bytes. Compiled once for each instruction set, so everything is
// local to the file that includes it.

#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/tensor/kernels.h"

namespace qspec {
namespace {

// As many registers as the instruction set takes for it; unaligned in memory.
using Line [[gnu::vector_size(FieldLines::kLine), gnu::aligned(8), gnu::may_alias]] = uint64_t;

// Exchanges the upper of each two parts of `a` with the lower ones of `b`. `low` masks the lower
// ones, so that nothing crosses into another word.
inline void exchange_parts(Line& a, Line& b, size_t part, uint64_t low) {
  const Line differ = (a >> part ^ b) & low;
  b ^= differ;
  a ^= differ << part;
}

// In halves of halves, all lines in registers.
template <size_t kFields>
inline void transpose_lines(Line* lines, size_t bits) {
  Line line[kFields];
#pragma GCC unroll 64
  for (size_t i = 0; i < kFields; ++i) line[i] = lines[i];
#pragma GCC unroll 8
  for (size_t distance = kFields / 2; distance > 0; distance /= 2) {
    const size_t part = distance * bits;
    const uint64_t low = ~uint64_t{0} / ((uint64_t{1} << part) + 1);
#pragma GCC unroll 64
    for (size_t i = 0; i < kFields; ++i) {
      if ((i & distance) == 0) exchange_parts(line[i], line[i + distance], part, low);
    }
  }
#pragma GCC unroll 64
  for (size_t i = 0; i < kFields; ++i) lines[i] = line[i];
}

inline void transpose_lines(const FieldLines& fields) {
  auto* lines = static_cast<Line*>(fields.lines);
  switch (fields.word_bits / fields.bits) {
    case 2:
      return transpose_lines<2>(lines, fields.bits);
    case 4:
      return transpose_lines<4>(lines, fields.bits);
    case 8:
      return transpose_lines<8>(lines, fields.bits);
    case 16:
      return transpose_lines<16>(lines, fields.bits);
    case 32:
      return transpose_lines<32>(lines, fields.bits);
    case 64:
      return transpose_lines<64>(lines, fields.bits);
    default:
      return;  // one field is the word
  }
}

}  // namespace
}  // namespace qspec
