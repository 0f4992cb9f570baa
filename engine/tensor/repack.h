#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace qspec {

// Moving the bits of packed codes, no arithmetic. "Words" are tensors of integers of 8, 16, 32 or
// 64 bits, signed or not; a word holds n = floor(word bits / bits) fields, field k in the bits from
// bits * k on. A "stream" is a row of bytes with code c in the bits from bits * c on. Codes have 1
// to 8 bits. All throw Error(kCheckpoint) for a tensor that is not of the kind wanted.

// The place of each field: field k of a word is the one at order[k] of its n; empty: in order. A
// permutation of 0..n-1, else Error(kSpec).
using FieldOrder = std::vector<int64_t>;

// words [..., W] -> u8 [..., W * n]
at::Tensor unpack_fields(const at::Tensor& words, int64_t bits, const FieldOrder& order = {});

// The first `count` codes of each row of streams, whose bytes are those of any integers.
// [..., W] -> u8 [..., count]
at::Tensor unpack_stream(const at::Tensor& words, int64_t bits, int64_t count);

// u8 codes [..., count] -> u8 [..., ceil(count * bits / 8)], the last bits 0.
at::Tensor pack_stream(const at::Tensor& codes, int64_t bits);

// [..., R, C] -> [..., C, R], contiguous, for elements of 1, 2, 4 or 8 bytes of any kind.
at::Tensor transpose_words(const at::Tensor& words);

// The fields of each column as a stream: words [..., R, W] -> u8 [..., W * n, ceil(R * bits / 8)].
at::Tensor transpose_fields(const at::Tensor& words, int64_t bits, const FieldOrder& order = {});

}  // namespace qspec
