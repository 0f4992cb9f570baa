#pragma once

#include "engine/kernels/compare.h"
#include "engine/kernels/dequantize4.h"
#include "engine/kernels/device.h"
#include "engine/kernels/llm_int8.h"
#include "engine/kernels/quantize4.h"
#include "engine/kernels/rowwise8.h"
#include "engine/kernels/transfer.h"

namespace qspec::cuda {

struct StepTable;

// What libqspec_cuda.so offers to the program and to libqspec_torch.so, which are built and run
// without it. They share the GPU's primary context and its default stream, and so LibTorch's
// allocations and order.
struct KernelTable {
  // Before the others: the GPU that the calling thread means.
  void (*use_device)(int number);
  void (*dequantize4)(const Codes4OnDevice& codes, Element element, void* to, Stream stream);

  void (*quantize4)(const Quantize4& job, Stream stream);
  void (*quantize_rowwise8)(const void* weight, Element element, int64_t rows, int64_t columns,
                            int8_t* codes, float* absmax, Stream stream);
  void (*dequantize_rowwise8)(const int8_t* codes, const float* absmax, int64_t rows,
                              int64_t columns, Element element, void* to, Stream stream);
  size_t (*compare_workspace_bytes)();
  void (*compare4)(const Codes4OnDevice& codes, const void* baseline, Element element,
                   void* workspace, ComparisonSums* result, Stream stream);
  void (*compare_values)(const void* decoded, Element decoded_element, const void* baseline,
                         Element element, int64_t count, int64_t block_size, void* workspace,
                         ComparisonSums* result, Stream stream);

  void (*quantize_activations8)(const Int8Activations& job, Stream stream);
  void (*finish_product8)(const Int8Result& job, Stream stream);

  const StepTable* step;

  int (*device_count)();
  DeviceFacts (*device_facts)(int number);
  std::shared_ptr<UploadDevice> (*make_upload_device)(int number);
};

// The name that qspec_cuda_kernels has in the library.
inline constexpr const char* kTableSymbol = "qspec_cuda_kernels";

}  // namespace qspec::cuda
