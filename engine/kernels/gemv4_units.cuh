// Units of a packed weight on their way into shared memory: see gemv4.cu.

#pragma once

#include <cuda_fp16.h>

#include <cstdint>

#include "engine/kernels/gemv4.h"
#include "engine/kernels/launch.cuh"

namespace qspec::cuda::gemv {

inline constexpr int kTileRows = 16;
inline constexpr int kChunk = 64;  // columns with one scale
inline constexpr int kChunks = 4;  // of a unit
inline constexpr int kStages = 3;  // units that a warp has in shared memory

// A unit: the 128 bytes of each row are a bit apart, so that four rows are in different banks.
struct Stage {
  static constexpr int kRowBytes = kChunk / 2 * kChunks + 32;

  unsigned char codes[kTileRows][kRowBytes];
  float4 scales[kTileRows];
  float4 zeros[kTileRows];
};

// What the quick kernel works on.
struct Job {
  const uint8_t* packed;
  const float* scales;
  const float* zeros;
  Codebook16 codebook;
  bool low_nibble_first;
  int rows, chunks, units_of_tile, tiles;
  int log2_group_chunks;  // chunks that share a scale, as a power of two
  int scales_per_row;
  const __half* x;       // [batch, columns]
  const float* factors;  // [batch]
  const float* sums;     // [batch, chunks], where there are zeros
  int batch;
  const void* bias;  // [rows] of the elements of y, or null
  bool bias_apart;
};

// A sum as an element of y, with its bias.
template <class T>
__device__ T with_bias(float sum, const void* bias, bool apart, int64_t row) {
  if (bias == nullptr) return from_float<T>(sum);
  const float product = apart ? to_float(from_float<T>(sum)) : sum;
  return from_float<T>(product + to_float(static_cast<const T*>(bias)[row]));
}

__device__ inline int scale_index(const Job& job, int row, int chunk) {
  return row * job.scales_per_row + (chunk >> job.log2_group_chunks);
}

__device__ inline uint32_t shared_address(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

// Begins to copy 16 bytes, or to clear as many.
__device__ inline void copy16(void* to, const void* from, bool is_there) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from),
               "r"(is_there ? 16 : 0)
               : "memory");
}

__device__ inline void copy4(void* to, const void* from, bool is_there) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(shared_address(to)), "l"(from),
               "r"(is_there ? 4 : 0)
               : "memory");
}

// Begins to copy a unit; what lies behind the last column becomes 0.
__device__ inline void load(const Job& job, int tile, int first_chunk, Stage& stage) {
  const int lane = threadIdx.x % 32;
  const int row_bytes = job.chunks * (kChunk / 2);
  const int byte = first_chunk * (kChunk / 2) + lane % 8 * 16;
#pragma unroll
  for (int i = 0; i < kTileRows / 4; ++i) {
    const int row = lane / 8 + 4 * i, from_row = min(job.rows - 1, tile * kTileRows + row);
    const bool is_there = byte < row_bytes;
    copy16(stage.codes[row] + lane % 8 * 16,
           job.packed + int64_t{from_row} * row_bytes + (is_there ? byte : 0), is_there);
  }
  const int chunk = first_chunk + lane % kChunks;
  const bool is_there = chunk < job.chunks;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int row = lane / kChunks + 8 * half;
    const int from =
        scale_index(job, min(job.rows - 1, tile * kTileRows + row), is_there ? chunk : 0);
    copy4(reinterpret_cast<float*>(&stage.scales[row]) + lane % kChunks, job.scales + from,
          is_there);
    if (job.zeros != nullptr) {
      copy4(reinterpret_cast<float*>(&stage.zeros[row]) + lane % kChunks, job.zeros + from,
            is_there);
    }
  }
}

__device__ inline void commit() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}

// All but the newest kStages - 2 groups have arrived, for all lanes.
__device__ inline void wait_for_oldest() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kStages - 2) : "memory");
  __syncwarp();
}

}  // namespace qspec::cuda::gemv
