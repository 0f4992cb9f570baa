#pragma once

#include <cstddef>
#include <cstdint>

namespace qspec {

// Code `index` of a little endian bitstream: the `bits` (1 to 8) bits from bit bits * index on,
// counted from the lowest bit of the first byte. No byte without a bit of it is read.
inline uint32_t code_at(const uint8_t* stream, size_t bits, size_t index) {
  const size_t byte = index * bits / 8, shift = index * bits % 8;
  uint32_t word = stream[byte];
  if (shift + bits > 8) word |= uint32_t{stream[byte + 1]} << 8;
  return (word >> shift) & ((1u << bits) - 1);
}

// Eight codes at once, between 8 * bits neighbouring bits and a byte each: in halves of halves of
// halves.
class EightCodes {
 public:
  explicit EightCodes(size_t bits)
      : bits_(bits),
        fours_(mask(4 * bits)),
        twos_(mask(2 * bits) * 0x0000000100000001u),
        ones_(mask(bits) * 0x0001000100010001u) {}

  uint64_t to_bytes(uint64_t word) const {
    word = (word & fours_) | (word >> 4 * bits_ & fours_) << 32;
    word = (word & twos_) | (word >> 2 * bits_ & twos_) << 16;
    return (word & ones_) | (word >> bits_ & ones_) << 8;
  }

  // The bytes hold no more than their codes.
  uint64_t from_bytes(uint64_t bytes) const {
    bytes = (bytes & ones_) | (bytes >> 8 & ones_) << bits_;
    bytes = (bytes & twos_) | (bytes >> 16 & twos_) << 2 * bits_;
    return (bytes & fours_) | (bytes >> 32 & fours_) << 4 * bits_;
  }

 private:
  static uint64_t mask(size_t bits) { return (uint64_t{1} << bits) - 1; }

  size_t bits_;
  uint64_t fours_, twos_, ones_;  // the lower four of eight codes, two of four, one of two
};

}  // namespace qspec
