// Activations as tensor cores take them: see gemv_kernel.cuh.

#pragma once

#include <cuda_fp16.h>

#include "engine/kernels/gemv_job.cuh"

namespace qspec::cuda::gemv {

// Powers of two that take each row of x into the range of float16, and its products back.
template <int kBatch>
struct Factors {
  float up[kBatch];
  float down[kBatch];
  float of_warps[kBatch][kMostWarps];
};

// Calls body with x as what it is.
template <class Body>
__device__ void with_x(const Job& job, const Body& body) {
  if (job.element == Element::kFloat32) return body(static_cast<const float*>(job.x));
  if (job.element == Element::kFloat16) return body(static_cast<const __half*>(job.x));
  body(static_cast<const __nv_bfloat16*>(job.x));
}

__device__ inline float largest_of_warp(float largest) {
  for (int by = 16; by > 0; by /= 2) largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, by));
  return largest;
}

template <class T>
__device__ void load_eight(const T* from, float (&values)[8]) {
  Vector<T, 8> eight;
  eight.load(from);
  eight.to_floats(values);
}

// The first half of finding the factors: each warp's share of the largest magnitudes.
template <int kBatch>
__device__ void scan_x(const Job& job, Factors<kBatch>& factors) {
  if (job.element == Element::kFloat16) return;
  const int columns = job.chunks * kChunk;
  with_x(job, [&](const auto* x) {
    for (int b = 0; b < job.batch; ++b) {
      float largest = 0;
      for (int i = threadIdx.x * 8; i < columns; i += blockDim.x * 8) {
        float values[8];
        load_eight(x + int64_t{b} * columns + i, values);
#pragma unroll
        for (int k = 0; k < 8; ++k) largest = fmaxf(largest, fabsf(values[k]));
      }
      largest = largest_of_warp(largest);
      if (threadIdx.x % 32 == 0) factors.of_warps[b][threadIdx.x / 32] = largest;
    }
  });
}

// The second half, after a barrier.
template <int kBatch>
__device__ void find_factors(const Job& job, Factors<kBatch>& factors) {
  const int lane = threadIdx.x % 32, warps = blockDim.x / 32;
  for (int b = threadIdx.x / 32; b < job.batch; b += warps) {
    const bool is_half = job.element == Element::kFloat16;
    const float largest = largest_of_warp(lane < warps && !is_half ? factors.of_warps[b][lane] : 0);
    const bool is_ordinary = largest > 0 && isfinite(largest);
    // The largest becomes 2^14 to 2^15, as far as a float has such a factor.
    const int exponent = is_ordinary ? min(126, 14 - ilogbf(largest)) : 0;
    if (lane == 0) factors.up[b] = ldexpf(1.0f, exponent);
    if (lane == 0) factors.down[b] = ldexpf(1.0f, -exponent);
  }
}

// Of x, the 8 columns of a half that lane 4 * g + t needs: 8 * t and on, of batch row g.
__device__ inline void load_half(const __half* x, float, uint32_t (&to)[4]) {
  const uint4 words = __ldg(reinterpret_cast<const uint4*>(x));
  to[0] = words.x, to[1] = words.y, to[2] = words.z, to[3] = words.w;
}
template <class T>
__device__ void load_half(const T* x, float up, uint32_t (&to)[4]) {
  float values[8];
  load_eight(x, values);
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    to[k] = pack(values[2 * k] * up, values[2 * k + 1] * up, static_cast<const __half*>(nullptr));
  }
}

// x of a panel, [tile of 8 rows of x][chunk][half]. Rows that are not there repeat the last: what
// comes of them is not used.
template <int kChunks, int kTiles>
struct Activations {
  uint32_t words[kTiles][kChunks][2][4];

  __device__ void load(const Job& job, const Factors<kTiles * kTileBatch>& factors,
                       const Chunks& chunks) {
    const int lane = threadIdx.x % 32;
    with_x(job, [&](const auto* x) {
#pragma unroll
      for (int tile = 0; tile < kTiles; ++tile) {
        const int row = min(job.batch - 1, tile * kTileBatch + lane / 4);
        const auto* from = x + (int64_t{row} * job.chunks + chunks.first) * kChunk + 8 * (lane % 4);
#pragma unroll
        for (int c = 0; c < kChunks; ++c) {
          if (c >= chunks.count) continue;
          load_half(from + c * kChunk, factors.up[row], words[tile][c][0]);
          load_half(from + c * kChunk + kHalf, factors.up[row], words[tile][c][1]);
        }
      }
    });
  }
};

}  // namespace qspec::cuda::gemv
