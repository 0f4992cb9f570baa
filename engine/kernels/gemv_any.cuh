// Products of packed weights of any shape: a warp for each row of the weight.

#pragma once

#include "engine/kernels/gemv_bias.cuh"

namespace qspec::cuda::gemv {

inline constexpr int kAnyThreads = 256;
inline constexpr int kAnyBatch = 8;

// `weight` gives an element by row and column; blockIdx.y is which kAnyBatch rows of x.
template <class Weight, class T>
__global__ void __launch_bounds__(kAnyThreads)
    any_kernel(const __grid_constant__ Weight weight, const T* __restrict__ x, int64_t batch,
               Bias bias, T* __restrict__ y) {
  const int64_t row = (int64_t{blockIdx.x} * kAnyThreads + threadIdx.x) / 32;
  if (row >= weight.rows) return;
  const int64_t first = int64_t{blockIdx.y} * kAnyBatch;
  float sums[kAnyBatch] = {};
  for (int64_t k = threadIdx.x % 32; k < weight.columns; k += 32) {
    const float value = weight(row, k);
#pragma unroll
    for (int b = 0; b < kAnyBatch; ++b) {
      if (first + b >= batch) continue;
      sums[b] = fmaf(value, to_float(x[(first + b) * weight.columns + k]), sums[b]);
    }
  }
#pragma unroll
  for (int b = 0; b < kAnyBatch; ++b) {
    for (int by = 16; by > 0; by /= 2) sums[b] += __shfl_xor_sync(~0u, sums[b], by);
    if (first + b < batch && threadIdx.x % 32 == 0) {
      y[(first + b) * weight.rows + row] = bias.operator()<T>(sums[b], row);
    }
  }
}

// Of a Gemv4 or a Gemv8.
template <class Weight, class Product>
void launch_any(const Weight& weight, const Product& job, Stream stream) {
  const dim3 blocks(static_cast<unsigned>(quotient_up(job.rows, kAnyThreads / 32)),
                    static_cast<unsigned>(quotient_up(job.batch, kAnyBatch)));
  with_element(job.element, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    any_kernel<<<blocks, kAnyThreads, 0, stream>>>(weight, static_cast<const T*>(job.x), job.batch,
                                                   Bias{job.bias, job.bias_apart},
                                                   static_cast<T*>(job.y));
  });
  check(cudaGetLastError(), "launching a product of a packed weight");
}

}  // namespace qspec::cuda::gemv
