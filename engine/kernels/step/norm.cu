// A thread block takes a row, which it keeps in shared memory as floats between its passes.

#include "engine/kernels/step/norm.h"
#include "engine/kernels/step/step.cuh"

namespace qspec::cuda {
namespace {

constexpr int kMostThreads = 1024;

template <class T>
__device__ float normed(const StepNorm& job, float x, float mean, float by, int column) {
  const RoundedTo<T> rounded;
  const auto* weights = static_cast<const T*>(job.weight);
  const auto* biases = static_cast<const T*>(job.bias);
  const float weight = weights != nullptr ? to_float(weights[column]) : 1.0f;
  switch (job.kind) {
    case NormKind::kLayer:
      return (x - mean) * by * weight + (biases != nullptr ? to_float(biases[column]) : 0.0f);
    case NormKind::kRmsAfterRounding:
      return weights != nullptr ? weight * rounded(x * by) : x * by;
    case NormKind::kRmsBeforeRounding:
      return weight * (x * by);
    case NormKind::kRmsOnePlus:
      return x * by * (weight + 1.0f);
  }
  return x;
}

// The row with what is added to it, rounded, into `row`; N elements of a thread at once.
template <int N, class T>
__device__ void read_row(const StepNorm& job, int64_t place, float* row) {
  const RoundedTo<T> rounded;
  const auto* x = static_cast<const T*>(job.x.data) + place;
  for (int i = threadIdx.x * N; i < job.width; i += blockDim.x * N) {
    float values[N];
    load_floats<N>(x + i, values);
    for (const void* more : job.added) {
      if (more == nullptr) continue;
      float others[N];
      load_floats<N>(static_cast<const T*>(more) + place + i, others);
#pragma unroll
      for (int j = 0; j < N; ++j) values[j] = rounded(values[j] + others[j]);
    }
    if (job.sum != nullptr) store_floats<N>(values, static_cast<T*>(job.sum) + place + i);
#pragma unroll
    for (int j = 0; j < N; ++j) row[i + j] = values[j];
  }
}

template <int N, class T>
__global__ void __launch_bounds__(kMostThreads) norm_kernel(const __grid_constant__ StepNorm job) {
  extern __shared__ float row[];
  __shared__ float of_warps[32];
  wait_for_previous_kernel();
  let_next_kernel_begin();
  const auto heads = static_cast<int32_t>(job.heads);
  const auto block = static_cast<int32_t>(blockIdx.x);
  const int64_t place = job.x.offset(block / heads, block % heads);
  const int width = static_cast<int>(job.width);
  read_row<N, T>(job, place, row);
  float mean = 0;
  if (job.kind == NormKind::kLayer) {
    float sum = 0;
    for (int i = threadIdx.x * N; i < width; i += blockDim.x * N) {
      for (int j = 0; j < N; ++j) sum += row[i + j];
    }
    mean = block_sum(sum, of_warps) / static_cast<float>(width);
  }
  float squares = 0;
  for (int i = threadIdx.x * N; i < width; i += blockDim.x * N) {
    for (int j = 0; j < N; ++j) squares = fmaf(row[i + j] - mean, row[i + j] - mean, squares);
  }
  squares = block_sum(squares, of_warps);
  const float by = rsqrtf(squares / static_cast<float>(width) + job.eps);
  auto* out = static_cast<T*>(job.out) + place;
  for (int i = threadIdx.x * N; i < width; i += blockDim.x * N) {
    float values[N];
#pragma unroll
    for (int j = 0; j < N; ++j) values[j] = normed<T>(job, row[i + j], mean, by, i + j);
    store_floats<N>(values, out + i);
  }
}

template <int N, class T>
void launch(const StepNorm& job, Stream stream) {
  const int64_t wanted = quotient_up(quotient_up(job.width, N), 32) * 32;
  const auto threads = static_cast<int>(std::clamp<int64_t>(wanted, 32, kMostThreads));
  const size_t shared = sizeof(float) * static_cast<size_t>(job.width);
  const auto kernel = norm_kernel<N, T>;
  allow_shared(kernel, shared);
  launch_after_previous(kernel, static_cast<int>(job.batch * job.heads), threads, shared, stream,
                        job);
}

}  // namespace

void step_norm(const StepNorm& job, Stream stream) {
  with_element(job.element, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    constexpr int kWide = 16 / sizeof(T);
    const bool is_wide = is_multiple(kWide, {job.width, job.x.row, job.x.group, job.x.head}) &&
                         is_aligned({job.x.data, job.added[0], job.added[1], job.sum, job.out});
    is_wide ? launch<kWide, T>(job, stream) : launch<1, T>(job, stream);
  });
}

}  // namespace qspec::cuda
