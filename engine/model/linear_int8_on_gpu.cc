#include "engine/model/linear_int8_on_gpu.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <string>

#include "engine/core/error.h"
#include "engine/model/linear_int8.h"

namespace qspec {
namespace {

cuda::Element gpu_element(at::ScalarType dtype) {
  if (dtype == at::kFloat) return cuda::Element::kFloat32;
  if (dtype == at::kHalf) return cuda::Element::kFloat16;
  if (dtype == at::kBFloat16) return cuda::Element::kBfloat16;
  throw Error(ErrorKind::kSpec, std::string("cannot multiply ") + at::toString(dtype))
      .hint("wanted float32, float16 or bfloat16");
}

struct Quantized {
  at::Tensor codes;  // rows behind those of x are zeros
  at::Tensor absmax;
  at::Tensor outlier_columns;
};

Quantized quantized(const at::Tensor& x, double threshold, const cuda::KernelTable& kernels) {
  const int64_t rows = x.size(0), columns = x.size(1);
  const Quantized result{at::zeros({padded_rows(rows), columns}, x.options().dtype(at::kChar)),
                         at::empty({rows}, x.options().dtype(at::kFloat)),
                         at::empty({1 + columns}, x.options().dtype(at::kInt))};
  const at::Tensor workspace = at::empty({columns}, x.options().dtype(at::kByte));
  kernels.quantize_activations8({.x = x.const_data_ptr(),
                                 .element = gpu_element(x.scalar_type()),
                                 .rows = rows,
                                 .columns = columns,
                                 .threshold = static_cast<float>(threshold),
                                 .codes = result.codes.mutable_data_ptr<int8_t>(),
                                 .absmax = result.absmax.mutable_data_ptr<float>(),
                                 .outlier_columns = result.outlier_columns.mutable_data_ptr<int>(),
                                 .workspace = workspace.mutable_data_ptr<uint8_t>()},
                                nullptr);
  return result;
}

}  // namespace

at::Tensor int8_product_on_gpu(const at::Tensor& given, const Int8Weight& weight,
                               const at::Tensor& bias, const cuda::KernelTable& kernels) {
  const at::Tensor x = given.contiguous();
  kernels.use_device(x.device().index());
  const Quantized codes = quantized(x, weight.threshold, kernels);
  const at::Tensor product = int8_matmul(codes.codes, weight.codes);
  at::Tensor y = at::empty({x.size(0), weight.codes.size(0)}, x.options());
  const at::Tensor added = bias.defined() ? bias.contiguous() : bias;
  kernels.finish_product8(
      {.product = product.const_data_ptr<int>(),
       .product_stride = product.stride(0),
       .row_absmax = codes.absmax.const_data_ptr<float>(),
       .weight_absmax = weight.absmax.const_data_ptr<float>(),
       .weight = weight.codes.const_data_ptr<int8_t>(),
       .x = x.const_data_ptr(),
       .element = gpu_element(x.scalar_type()),
       .outlier_columns = codes.outlier_columns.const_data_ptr<int>(),
       .bias = added.defined() ? added.const_data_ptr() : nullptr,
       .bias_element = gpu_element(added.defined() ? added.scalar_type() : at::kHalf),
       .rows = x.size(0),
       .outputs = weight.codes.size(0),
       .columns = x.size(1),
       .y = y.mutable_data_ptr()},
      nullptr);
  return y;
}

}  // namespace qspec
