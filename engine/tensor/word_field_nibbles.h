// One field of each word, two to a byte. Compiled once for each instruction set, whose vectors the
// compiler uses, so everything is local to the file that includes it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/tensor/kernels.h"

namespace qspec {
namespace {

// Two words at once: their fields move together, and then beside each other.
template <class Pair>
void pair_nibbles(const WordField& field, size_t count, uint8_t* __restrict to) {
  constexpr int kWordBits = static_cast<int>(sizeof(Pair)) * 4;
  const auto low = static_cast<Pair>((1u << field.bits) - 1);
  const auto mask = static_cast<Pair>(low | low << kWordBits);
  const uint8_t* __restrict words = field.words;
  for (size_t i = 0; i < count / 2; ++i) {
    Pair pair;
    std::memcpy(&pair, words + i * sizeof pair, sizeof pair);
    pair = static_cast<Pair>(pair >> field.shift) & mask;
    to[i] = static_cast<uint8_t>(pair | pair >> (kWordBits - 4));
  }
  if (count % 2 == 0) return;
  Pair last = 0;
  std::memcpy(&last, words + count / 2 * sizeof last, sizeof last / 2);
  to[count / 2] = static_cast<uint8_t>(static_cast<Pair>(last >> field.shift) & low);
}

inline void word_field_nibbles(const WordField& field, size_t count, uint8_t* to) {
  if (field.word_bytes == 1) return pair_nibbles<uint16_t>(field, count, to);
  if (field.word_bytes == 2) return pair_nibbles<uint32_t>(field, count, to);
  pair_nibbles<uint64_t>(field, count, to);
}

}  // namespace
}  // namespace qspec
