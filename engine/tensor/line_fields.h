// Fields of words in lines of 64 bytes. Compiled once for each instruction set, so everything is
// local to the file that includes it.

#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/tensor/kernels.h"

namespace qspec {
namespace {

using Line = uint64_t[FieldLines::kLine / sizeof(uint64_t)];

// Exchanges the upper of each two parts of `a` with the lower ones of `b`. `low` masks the lower
// ones, so that nothing crosses into another word.
inline void exchange_parts(Line& __restrict a, Line& __restrict b, unsigned part, uint64_t low) {
  for (size_t w = 0; w < FieldLines::kLine / sizeof(uint64_t); ++w) {
    const uint64_t differ = (a[w] >> part ^ b[w]) & low;
    b[w] ^= differ;
    a[w] ^= differ << part;
  }
}

inline void transpose_lines(const FieldLines& fields) {
  auto* lines = static_cast<Line*>(fields.lines);
  uint64_t low = ~uint64_t{0};  // the lower one of each two parts
  for (size_t part = 32; part >= fields.bits; part /= 2) {
    low ^= low << part;
    if (part >= fields.word_bits) continue;
    const size_t distance = part / fields.bits;
    for (size_t i = 0; i < fields.word_bits / fields.bits; ++i) {
      if ((i & distance) != 0) continue;
      exchange_parts(lines[i], lines[i + distance], static_cast<unsigned>(part), low);
    }
  }
}

}  // namespace
}  // namespace qspec
