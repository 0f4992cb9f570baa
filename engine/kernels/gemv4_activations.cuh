// Activations as tensor cores take them: see gemv4.cu.

#pragma once

#include <cuda_fp16.h>

#include "engine/kernels/gemv4_units.cuh"

namespace qspec::cuda::gemv {

inline constexpr int kPrepareThreads = 1024;

// x in float16, a factor that takes the scaling back, and sums of the chunks.
template <class T>
__global__ void __launch_bounds__(kPrepareThreads)
    prepare_kernel(const T* __restrict__ x, int columns, __half* __restrict__ halves,
                   float* __restrict__ factors, float* __restrict__ sums) {
  __shared__ float of_warps[32];
  const int64_t begin = int64_t{blockIdx.x} * columns;
  float largest = 0;
  for (int i = threadIdx.x; i < columns; i += kPrepareThreads) {
    largest = fmaxf(largest, fabsf(to_float(x[begin + i])));
  }
  for (int by = 16; by > 0; by /= 2) largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, by));
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = largest;
  __syncthreads();
  largest = of_warps[threadIdx.x % 32];
  for (int by = 16; by > 0; by /= 2) largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, by));
  const bool is_ordinary = largest > 0 && isfinite(largest);
  const int exponent = is_ordinary ? 14 - ilogbf(largest) : 0;  // the largest: 2^14 to 2^15
  if (threadIdx.x == 0) factors[blockIdx.x] = ldexpf(1.0f, -exponent);
  for (int i = threadIdx.x; i < columns; i += kPrepareThreads) {
    halves[begin + i] = __float2half_rn(ldexpf(to_float(x[begin + i]), exponent));
  }
  if (sums == nullptr) return;
  __syncthreads();
  const int chunks = columns / kChunk;
  for (int chunk = threadIdx.x / 32; chunk < chunks; chunk += kPrepareThreads / 32) {
    const int64_t at = begin + chunk * kChunk + threadIdx.x % 32 * 2;
    float sum = __half2float(halves[at]) + __half2float(halves[at + 1]);
    for (int by = 16; by > 0; by /= 2) sum += __shfl_xor_sync(~0u, sum, by);
    if (threadIdx.x % 32 == 0) sums[int64_t{blockIdx.x} * chunks + chunk] = sum;
  }
}

}  // namespace qspec::cuda::gemv
