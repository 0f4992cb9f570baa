// A warp takes rows of the weight, one after the other; its lanes take neighbouring 16 bytes.

#include "engine/kernels/step/product.h"
#include "engine/kernels/step/step.cuh"

namespace qspec::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kAhead = 4;  // loads of the weight in flight

// Adds the products of N columns.
template <int N, int Batch, class T>
__device__ void add_columns(const DenseProduct& job, const float (&weight)[N], int64_t column,
                            float (&sums)[Batch]) {
#pragma unroll
  for (int b = 0; b < Batch; ++b) {
    if (b >= job.batch) break;
    float x[N];
    load_floats<N>(static_cast<const T*>(job.x) + b * job.columns + column, x);
#pragma unroll
    for (int j = 0; j < N; ++j) sums[b] = fmaf(weight[j], x[j], sums[b]);
  }
}

template <int N, int Batch, class T>
__device__ void multiply_row(const DenseProduct& job, int64_t row, float (&sums)[Batch]) {
  const auto* weight = static_cast<const T*>(job.weight) + row * job.columns;
  constexpr int kStride = 32 * N;
  int64_t column = threadIdx.x % 32 * N;
  for (; column + (kAhead - 1) * kStride < job.columns; column += kAhead * kStride) {
    float ahead[kAhead][N];
#pragma unroll
    for (int i = 0; i < kAhead; ++i) load_floats<N>(weight + column + i * kStride, ahead[i]);
#pragma unroll
    for (int i = 0; i < kAhead; ++i) {
      add_columns<N, Batch, T>(job, ahead[i], column + i * kStride, sums);
    }
  }
  for (; column < job.columns; column += kStride) {
    float values[N];
    load_floats<N>(weight + column, values);
    add_columns<N, Batch, T>(job, values, column, sums);
  }
}

template <class T>
__device__ void store_sum(const DenseProduct& job, int64_t row, int b, float sum) {
  float value = sum;
  if (job.bias != nullptr) {
    if (job.bias_apart) value = RoundedTo<T>()(value);
    value += to_float(static_cast<const T*>(job.bias)[row]);
  }
  static_cast<T*>(job.y)[b * job.rows + row] = from_float<T>(value);
}

template <int N, int Batch, class T>
__global__ void __launch_bounds__(kThreads)
    product_kernel(const __grid_constant__ DenseProduct job) {
  wait_for_previous_kernel();
  let_next_kernel_begin();
  const int64_t warps = int64_t{gridDim.x} * (kThreads / 32);
  for (int64_t row = int64_t{blockIdx.x} * (kThreads / 32) + threadIdx.x / 32; row < job.rows;
       row += warps) {
    float sums[Batch] = {};
    multiply_row<N, Batch, T>(job, row, sums);
#pragma unroll
    for (int b = 0; b < Batch; ++b) {
      for (int by = 16; by > 0; by /= 2) sums[b] += __shfl_xor_sync(~0u, sums[b], by);
      if (threadIdx.x % 32 == 0 && b < job.batch) store_sum<T>(job, row, b, sums[b]);
    }
  }
}

template <int N, class T>
void launch(const DenseProduct& job, Stream stream) {
  const auto start = [&](auto kernel) {
    const int64_t wanted = quotient_up(job.rows, kThreads / 32);
    launch_after_previous(kernel, resident_blocks(kernel, kThreads, 0, wanted), kThreads, 0, stream,
                          job);
  };
  if (job.batch == 1) return start(product_kernel<N, 1, T>);
  if (job.batch <= 4) return start(product_kernel<N, 4, T>);
  start(product_kernel<N, 8, T>);
}

}  // namespace

void dense_product(const DenseProduct& job, Stream stream) {
  if (job.rows == 0 || job.batch == 0) return;
  with_element(job.element, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    constexpr int kWide = 16 / sizeof(T);
    const bool is_wide = job.columns % kWide == 0 && is_aligned({job.weight, job.x});
    is_wide ? launch<kWide, T>(job, stream) : launch<1, T>(job, stream);
  });
}

}  // namespace qspec::cuda
