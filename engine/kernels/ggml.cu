// ggml's blocks to numbers: a thread decodes eight neighbours and writes them at once. The bytes of
// a block are read by several threads, through the first cache.

#include "engine/core/error.h"
#include "engine/kernels/ggml.h"
#include "engine/kernels/ggml_eights.h"
#include "engine/kernels/launch.cuh"

namespace qspec::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kPer = 8;

template <class Block, class T>
__global__ void __launch_bounds__(kThreads)
    ggml_kernel(const uint8_t* __restrict__ blocks, int64_t count, T* __restrict__ to) {
  constexpr int kEights = Block::kElements / kPer;
  const int64_t units = count * kEights, step = int64_t{gridDim.x} * kThreads;
  for (int64_t u = int64_t{blockIdx.x} * kThreads + threadIdx.x; u < units; u += step) {
    float x[kPer];
    Block::eight(blocks + u / kEights * Block::kBytes, static_cast<int>(u % kEights) * kPer, x);
    Vector<T, kPer> vector;
    vector.from_floats(x);
    vector.store(to + u * kPer);
  }
}

}  // namespace

bool decodes_ggml(Dtype dtype) {
  return ggml::with_type(dtype, [](auto) {});
}

void dequantize_ggml(Dtype dtype, const uint8_t* blocks, int64_t count, Element element, void* to,
                     Stream stream) {
  if (count == 0) return;
  const bool is_known = ggml::with_type(dtype, [&](auto block) {
    with_element(element, [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      const auto kernel = ggml_kernel<decltype(block), T>;
      const int64_t wanted = quotient_up(count * decltype(block)::kElements, kThreads * kPer);
      const int resident = resident_blocks(kernel, kThreads, 0, wanted);
      kernel<<<resident, kThreads, 0, stream>>>(blocks, count, static_cast<T*>(to));
    });
  });
  if (!is_known) {
    throw Error(ErrorKind::kUnsupported, "no kernel decodes these blocks on a GPU");
  }
  check(cudaGetLastError(), "launching the decoding of ggml's blocks");
}

}  // namespace qspec::cuda
