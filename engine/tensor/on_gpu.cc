#include "engine/tensor/on_gpu.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "engine/core/error.h"

namespace qspec {
namespace {

// The kernels for what lies where `tensor` does; null where there are none.
const cuda::KernelTable* kernels_for(const at::Tensor& tensor) {
  if (!tensor.is_cuda() || gpu_kernels() == nullptr) return nullptr;
  gpu_kernels()->use_device(tensor.device().index());
  return gpu_kernels();
}

at::Tensor empty_beside(const at::Tensor& other, at::IntArrayRef shape, at::ScalarType type) {
  return at::empty(shape, other.options().dtype(type));
}

// The sums as the kernel leaves them, by way of a tensor so that LibTorch waits for them.
Comparison finished(const at::Tensor& sums, int64_t count, int64_t block_size) {
  cuda::ComparisonSums from{};
  const at::Tensor here = sums.cpu();
  std::memcpy(&from, here.const_data_ptr(), sizeof from);
  return {.count = count,
          .blocks = (count + block_size - 1) / block_size,
          .nonfinite_decoded = from.nonfinite_decoded,
          .nonfinite_baseline = from.nonfinite_baseline,
          .baseline_squares = from.baseline_squares,
          .error_squares = from.error_squares,
          .cross = from.cross,
          .max_abs_error = from.max_abs_error,
          .max_error_index = from.max_error_index,
          .worst_block = from.worst_block,
          .worst_error_squares = from.worst_error_squares,
          .worst_baseline_squares = from.worst_baseline_squares};
}

struct Scratch {
  Scratch(const cuda::KernelTable& kernels, const at::Tensor& beside)
      : workspace(empty_beside(beside, {static_cast<int64_t>(kernels.compare_workspace_bytes())},
                               at::kByte)),
        sums(empty_beside(beside, {sizeof(cuda::ComparisonSums)}, at::kByte)) {}

  cuda::ComparisonSums* result() {
    return static_cast<cuda::ComparisonSums*>(sums.mutable_data_ptr());
  }

  at::Tensor workspace, sums;
};

}  // namespace

bool is_element(at::ScalarType dtype) {
  return dtype == at::kFloat || dtype == at::kHalf || dtype == at::kBFloat16;
}

cuda::Element element_of(at::ScalarType dtype) {
  if (dtype == at::kFloat) return cuda::Element::kFloat32;
  if (dtype == at::kHalf) return cuda::Element::kFloat16;
  if (dtype == at::kBFloat16) return cuda::Element::kBfloat16;
  throw Error(ErrorKind::kSpec, std::string("cannot decode to ") + at::toString(dtype))
      .hint("wanted float32, float16 or bfloat16");
}

cuda::Codes4OnDevice codes_on_device(const Codebook4& codes, const at::Tensor& host_codebook) {
  cuda::Codes4OnDevice result{};
  result.packed = codes.packed.const_data_ptr<uint8_t>();
  result.absmax = codes.absmax.const_data_ptr<float>();
  std::copy_n(host_codebook.const_data_ptr<float>(), 16, result.codebook.value);
  result.block_size = codes.block_size;
  result.count = 1;
  for (const int64_t size : codes.shape) result.count *= size;
  return result;
}

std::optional<Quantized4> quantize4_on_gpu(const at::Tensor& weight, const CodeRule& rule,
                                           int64_t block_size) {
  const cuda::KernelTable* kernels = kernels_for(weight);
  if (kernels == nullptr || !is_element(weight.scalar_type())) return std::nullopt;
  const at::Tensor flat = weight.contiguous();
  const int64_t count = flat.numel();
  Quantized4 result{empty_beside(flat, {(count + 1) / 2, 1}, at::kByte),
                    empty_beside(flat, {(count + block_size - 1) / block_size}, at::kFloat)};
  kernels->quantize4({.weight = flat.const_data_ptr(),
                      .element = element_of(flat.scalar_type()),
                      .count = count,
                      .block_size = block_size,
                      .rule = rule,
                      .packed = result.packed.mutable_data_ptr<uint8_t>(),
                      .absmax = result.absmax.mutable_data_ptr<float>()},
                     nullptr);
  return result;
}

std::optional<Rowwise8> quantize8_on_gpu(const at::Tensor& weight) {
  const cuda::KernelTable* kernels = kernels_for(weight);
  if (kernels == nullptr || !is_element(weight.scalar_type())) return std::nullopt;
  const at::Tensor flat = weight.contiguous();
  Rowwise8 result{empty_beside(flat, flat.sizes(), at::kChar),
                  empty_beside(flat, {flat.size(0)}, at::kFloat)};
  kernels->quantize_rowwise8(flat.const_data_ptr(), element_of(flat.scalar_type()), flat.size(0),
                             flat.size(1), result.codes.mutable_data_ptr<int8_t>(),
                             result.absmax.mutable_data_ptr<float>(), nullptr);
  return result;
}

std::optional<at::Tensor> dequantize_on_gpu(const Rowwise8& weight, at::ScalarType dtype) {
  const cuda::KernelTable* kernels = kernels_for(weight.codes);
  if (kernels == nullptr || !weight.absmax.is_cuda()) return std::nullopt;
  at::Tensor result = empty_beside(weight.codes, weight.codes.sizes(), dtype);
  kernels->dequantize_rowwise8(
      weight.codes.const_data_ptr<int8_t>(), weight.absmax.const_data_ptr<float>(), result.size(0),
      result.size(1), element_of(dtype), result.mutable_data_ptr(), nullptr);
  return result;
}

std::optional<Comparison> compare4_on_gpu(const cuda::Codes4OnDevice& codes,
                                          const at::Tensor& baseline) {
  const cuda::KernelTable* kernels = kernels_for(baseline);
  if (kernels == nullptr || !is_element(baseline.scalar_type())) return std::nullopt;
  const at::Tensor flat = baseline.contiguous();
  Scratch scratch(*kernels, flat);
  kernels->compare4(codes, flat.const_data_ptr(), element_of(flat.scalar_type()),
                    scratch.workspace.mutable_data_ptr(), scratch.result(), nullptr);
  return finished(scratch.sums, codes.count, codes.block_size);
}

std::optional<Comparison> compare_on_gpu(const at::Tensor& decoded, const at::Tensor& baseline,
                                         int64_t block_size) {
  const cuda::KernelTable* kernels = kernels_for(decoded);
  const bool fits = decoded.device() == baseline.device() && is_element(decoded.scalar_type()) &&
                    is_element(baseline.scalar_type());
  if (kernels == nullptr || !fits) return std::nullopt;
  const at::Tensor q = decoded.contiguous(), r = baseline.contiguous();
  Scratch scratch(*kernels, q);
  kernels->compare_values(q.const_data_ptr(), element_of(q.scalar_type()), r.const_data_ptr(),
                          element_of(r.scalar_type()), q.numel(), block_size,
                          scratch.workspace.mutable_data_ptr(), scratch.result(), nullptr);
  return finished(scratch.sums, q.numel(), block_size);
}

}  // namespace qspec
