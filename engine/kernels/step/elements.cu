// Embeddings, activations and arithmetic of single elements: a thread an element.

#include "engine/kernels/step/elements.h"
#include "engine/kernels/step/step.cuh"

namespace qspec::cuda {
namespace {

constexpr int kThreads = 128;

// Thread blocks of a row come one after the other.
int blocks_for(int64_t width, int64_t batch) {
  return static_cast<int>(quotient_up(width, kThreads) * batch);
}

struct Place {
  __device__ explicit Place(int64_t width)
      : b(blockIdx.x / blocks_of(width)),
        i(int64_t{blockIdx.x % blocks_of(width)} * kThreads + threadIdx.x) {}
  __device__ static unsigned blocks_of(int64_t width) {
    return static_cast<unsigned>(quotient_up(width, kThreads));
  }

  int64_t b, i;  // row of the batch, element of it
};

template <class T>
__global__ void embedding_kernel(const __grid_constant__ StepEmbedding job) {
  wait_for_previous_kernel();
  let_next_kernel_begin();
  const auto [b, i] = Place(job.width);
  if (i >= job.width) return;
  int64_t row = job.ids != nullptr ? job.ids[b]
                                   : job.progress.lengths[b] - job.progress.starts[b] + job.offset;
  row = min(max(row, int64_t{0}), job.rows - 1);
  static_cast<T*>(job.out)[b * job.width + i] =
      static_cast<const T*>(job.table)[row * job.width + i];
}

template <class T>
__global__ void activation_kernel(const __grid_constant__ StepActivation job) {
  wait_for_previous_kernel();
  let_next_kernel_begin();
  const auto [b, i] = Place(job.width);
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
  wait_for_previous_kernel();
  let_next_kernel_begin();
  const auto [b, i] = Place(job.width);
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
    launch_after_previous(embedding_kernel<T>, blocks_for(job.width, job.batch), kThreads, 0,
                          stream, job);
  });
}

void step_activation(const StepActivation& job, Stream stream) {
  with_element(job.element, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    launch_after_previous(activation_kernel<T>, blocks_for(job.width, job.batch), kThreads, 0,
                          stream, job);
  });
}

void step_arithmetic(const StepArithmetic& job, Stream stream) {
  with_element(job.element, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    launch_after_previous(arithmetic_kernel<T>, blocks_for(job.width, job.batch), kThreads, 0,
                          stream, job);
  });
}

}  // namespace qspec::cuda
