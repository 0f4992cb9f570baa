// Pairs of 4-bit codes looked up a byte at a time.

#pragma once

#include <cstdint>

#include "engine/kernels/dequantize4.h"

namespace qspec::cuda {

// What the two codes of each byte stand for, the high nibble first, in shared memory: [256][copy].
// Half a warp is served at once, each lane from its own two banks.
constexpr int kPairCopies = 16;
constexpr size_t kPairTableBytes = 256 * kPairCopies * sizeof(float2);

__device__ inline void fill_pairs(float2* table, const Codebook16& codebook) {
  for (int i = threadIdx.x; i < 256 * kPairCopies; i += blockDim.x) {
    const int byte = i / kPairCopies;
    table[i] = make_float2(codebook.value[byte >> 4], codebook.value[byte & 15]);
  }
}

// The lane's own copy.
__device__ inline const float2* own_pairs(const float2* table) {
  return table + threadIdx.x % kPairCopies;
}

__device__ inline float2 pair_of(const float2* own, uint32_t word, int byte) {
  return own[((word >> 8 * byte) & 255) * kPairCopies];
}

}  // namespace qspec::cuda
