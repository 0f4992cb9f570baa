#include "engine/kernels/table.h"

#include "engine/kernels/launch.cuh"

namespace qspec::cuda {
namespace {

void use_device(int number) {
  check(cudaSetDevice(number), "taking the GPU");
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const KernelTable* qspec_cuda_kernels() {
  static constexpr KernelTable kTable = {use_device, dequantize4, quantize_activations8,
                                         finish_product8};
  return &kTable;
}

}  // namespace qspec::cuda
