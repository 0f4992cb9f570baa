#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "engine/tensor/codebook4.h"
#include "engine/tensor/compare.h"
#include "engine/tensor/gpu_kernels.h"
#include "engine/tensor/rowwise8.h"

namespace qspec {

// The functions of this folder for tensors that lie on a GPU, by the kernels there. Each gives
// nothing where there is no kernel for the operands: what calls it then works on the host.

cuda::Element element_of(at::ScalarType dtype);  // throws Error(kSpec) for other than the three
bool is_element(at::ScalarType dtype);

// As a kernel takes it. The tensors must outlive the result.
cuda::Codes4OnDevice codes_on_device(const Codebook4& codes, const at::Tensor& host_codebook);

std::optional<Quantized4> quantize4_on_gpu(const at::Tensor& weight, const CodeRule& rule,
                                           int64_t block_size);
std::optional<Rowwise8> quantize8_on_gpu(const at::Tensor& weight);
std::optional<at::Tensor> dequantize_on_gpu(const Rowwise8& weight, at::ScalarType dtype);

std::optional<Comparison> compare4_on_gpu(const cuda::Codes4OnDevice& codes,
                                          const at::Tensor& baseline);
std::optional<Comparison> compare_on_gpu(const at::Tensor& decoded, const at::Tensor& baseline,
                                         int64_t block_size);

}  // namespace qspec
