#pragma once

#include "engine/kernels/dequantize4.h"
#include "engine/kernels/device.h"
#include "engine/kernels/llm_int8.h"

namespace qspec::cuda {

// What libqspec_cuda.so offers to libqspec_torch.so, which is built and runs without it. They share
// the GPU's primary context and its default stream, and so LibTorch's allocations and order.
struct KernelTable {
  // Before the others: the GPU that the calling thread means.
  void (*use_device)(int number);
  void (*dequantize4)(const Codes4OnDevice& codes, Element element, void* to, Stream stream);
  void (*quantize_activations8)(const Int8Activations& job, Stream stream);
  void (*finish_product8)(const Int8Result& job, Stream stream);
};

// The name that qspec_cuda_kernels has in the library.
inline constexpr const char* kTableSymbol = "qspec_cuda_kernels";

}  // namespace qspec::cuda
