// Embeddings, activations and arithmetic of single elements: a thread an element.

#include "engine/kernels/step/elements.h"
#include "engine/kernels/step/step.cuh"

namespace qspec::cuda {
namespace {

constexpr int kThreads = 128;

dim3 blocks_for(int64_t width, int64_t batch) {
  return {static_cast<unsigned>(quotient_up(width, kThreads)), static_cast<unsigned>(batch)};
}

template <class T>
__global__ void embedding_kernel(const __grid_constant__ StepEmbedding job) {
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const unsigned b = blockIdx.y;
  if (i >= job.width) return;
  int64_t row = job.ids != nullptr ? job.ids[b]
                                   : job.progress.lengths[b] - job.progress.starts[b] + job.offset;
  row = min(max(row, int64_t{0}), job.rows - 1);
  static_cast<T*>(job.out)[b * job.width + i] =
      static_cast<const T*>(job.table)[row * job.width + i];
}

template <class T>
__global__ void activation_kernel(const __grid_constant__ StepActivation job) {
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const unsigned b = blockIdx.y;
  if (i >= job.width) return;
  const RoundedTo<T> rounded;
  const float x = to_float(static_cast<const T*>(job.x)[b * job.x_row + i]);
  float value = activated(job.kind, x, rounded);
  if (job.other != nullptr) {
    value = rounded(value) * to_float(static_cast<const T*>(job.other)[b * job.other_row + i]);
  }
  static_cast<T*>(job.out)[b * job.width + i] = from_float<T>(value);
}

template <class T>
__global__ void arithmetic_kernel(const __grid_constant__ StepArithmetic job) {
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const unsigned b = blockIdx.y;
  if (i >= job.width) return;
  const float x = to_float(static_cast<const T*>(job.x)[b * job.x_row + i]);
  const float y =
      job.y == nullptr ? job.number : to_float(static_cast<const T*>(job.y)[b * job.y_row + i]);
  static_cast<T*>(job.out)[b * job.width + i] =
      from_float<T>(calculated(job.kind, x, y, RoundedTo<T>()));
}

}  // namespace

void step_embedding(const StepEmbedding& job, Stream stream) {
  with_element(job.element, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    embedding_kernel<T><<<blocks_for(job.width, job.batch), kThreads, 0, stream>>>(job);
  });
  check(cudaGetLastError(), "launching an embedding");
}

void step_activation(const StepActivation& job, Stream stream) {
  with_element(job.element, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    activation_kernel<T><<<blocks_for(job.width, job.batch), kThreads, 0, stream>>>(job);
  });
  check(cudaGetLastError(), "launching an activation");
}

void step_arithmetic(const StepArithmetic& job, Stream stream) {
  with_element(job.element, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    arithmetic_kernel<T><<<blocks_for(job.width, job.batch), kThreads, 0, stream>>>(job);
  });
  check(cudaGetLastError(), "launching arithmetic of a step");
}

}  // namespace qspec::cuda
