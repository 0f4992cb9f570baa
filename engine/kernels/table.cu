#include "engine/kernels/table.h"

#include "engine/kernels/launch.cuh"
#include "engine/kernels/step/table.h"

namespace qspec::cuda {
namespace {

void use_device(int number) {
  check(cudaSetDevice(number), "taking the GPU");
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const KernelTable* qspec_cuda_kernels() {
  static const KernelTable kTable = {use_device, dequantize4, &step_table()};
  return &kTable;
}

}  // namespace qspec::cuda
