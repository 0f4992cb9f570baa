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
  static const KernelTable kTable = {
      .use_device = use_device,
      .dequantize4 = dequantize4,
      .quantize4 = quantize4,
      .quantize_rowwise8 = quantize_rowwise8,
      .dequantize_rowwise8 = dequantize_rowwise8,
      .compare_workspace_bytes = compare_workspace_bytes,
      .compare4 = compare4,
      .compare_values = compare_values,
      .quantize_activations8 = quantize_activations8,
      .finish_product8 = finish_product8,
      .step = &step_table(),
      .device_count = device_count,
      .device_facts = device_facts,
      .make_upload_device = make_upload_device,
  };
  return &kTable;
}

}  // namespace qspec::cuda
