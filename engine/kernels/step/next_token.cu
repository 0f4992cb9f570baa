// A thread block a row.

#include "engine/kernels/step/next_token.h"
#include "engine/kernels/step/step.cuh"

namespace qspec::cuda {
namespace {

constexpr int kThreads = 1024;

struct Best {
  float logit = 0;
  int32_t token = INT32_MAX;  // none

  // The first of equals, and never a NaN.
  __device__ void take(float other, int32_t its) {
    if (other != other || its == INT32_MAX) return;
    const bool is_better = token == INT32_MAX || other > logit || (other == logit && its < token);
    if (!is_better) return;
    logit = other;
    token = its;
  }

  __device__ void take_from_warp() {
    for (int by = 16; by > 0; by /= 2) {
      const float other = __shfl_xor_sync(~0u, logit, by);
      const int32_t its = __shfl_xor_sync(~0u, token, by);
      take(other, its);
    }
  }
};

__device__ Best best_of_block(Best best) {
  __shared__ Best of_warps[32];
  best.take_from_warp();
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = best;
  __syncthreads();
  best = of_warps[threadIdx.x % 32];
  best.take_from_warp();
  return best;
}

template <int N, class T>
__device__ void copy_row(const T* from, T* to, int64_t count) {
  for (int64_t i = int64_t{threadIdx.x} * N; i < count; i += kThreads * N) {
    float values[N];
    load_floats<N>(from + i, values);
    store_floats<N>(values, to + i);
  }
}

template <int N, class T>
__global__ void __launch_bounds__(kThreads) end_kernel(const __grid_constant__ StepEnd job) {
  wait_for_previous_kernel();
  let_next_kernel_begin();
  const int64_t b = blockIdx.x;
  const int32_t length = job.progress.lengths[b];
  const int64_t slot = (length - job.first_length) % job.ring, row = slot * job.batch + b;
  const auto* logits = static_cast<const T*>(job.logits) + b * job.vocabulary;
  auto* kept = static_cast<T*>(job.kept_logits) + row * job.vocabulary;
  Best best;
  for (int64_t i = int64_t{threadIdx.x} * N; i < job.vocabulary; i += kThreads * N) {
    float values[N];
    load_floats<N>(logits + i, values);
    store_floats<N>(values, kept + i);
#pragma unroll
    for (int j = 0; j < N; ++j) best.take(values[j], static_cast<int32_t>(i + j));
  }
  copy_row<1>(static_cast<const T*>(job.hidden) + b * job.width,
              static_cast<T*>(job.kept_hidden) + row * job.width, job.width);
  best = best_of_block(best);
  if (threadIdx.x != 0) return;
  const int64_t token = best.token == INT32_MAX ? 0 : best.token;
  job.ids[b] = token;
  job.kept_ids[row] = token;
  job.progress.lengths[b] = length + 1;
}

}  // namespace

void step_end(const StepEnd& job, Stream stream) {
  with_element(job.element, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    constexpr int kWide = 16 / sizeof(T);
    const bool is_wide = job.vocabulary % kWide == 0 && is_aligned({job.logits, job.kept_logits});
    const auto kernel = is_wide ? end_kernel<kWide, T> : end_kernel<1, T>;
    launch_after_previous(kernel, static_cast<int>(job.batch), kThreads, 0, stream, job);
  });
}

}  // namespace qspec::cuda
