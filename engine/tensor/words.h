#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "engine/tensor/repack.h"

namespace qspec {

// What the functions of repack.h share.

// Contiguous. Throws Error(kCheckpoint) unless it holds integers in `least` dimensions or more.
at::Tensor checked_words(const at::Tensor& words, int64_t least);

// Throws Error(kCheckpoint) unless codes can have so many.
void check_bits(int64_t bits);

// The order of all fields of a word. Throws Error(kSpec) for one that is no permutation.
FieldOrder checked_order(const FieldOrder& order, const at::Tensor& words, int64_t bits);

// The sizes of `tensor`, its last ones replaced.
std::vector<int64_t> with_last(const at::Tensor& tensor, const std::vector<int64_t>& last);

// a * b. Throws Error(kCheckpoint) for an overflow.
int64_t product(int64_t a, int64_t b);

// Calls body with a zero of the unsigned type of `size` bytes: 1, 2, 4 or 8.
template <class Body>
void with_word(int64_t size, const Body& body) {
  if (size == 1) return body(uint8_t{});
  if (size == 2) return body(uint16_t{});
  if (size == 4) return body(uint32_t{});
  body(uint64_t{});
}

}  // namespace qspec
