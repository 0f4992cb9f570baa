#include "engine/model/linear_int8.h"

#include <ATen/ATen.h>
#include <ATen/cpu/Utils.h>

#include <algorithm>
#include <utility>

#include "engine/model/linear_int8_on_gpu.h"
#include "engine/tensor/gpu_kernels.h"

namespace qspec {
namespace {

// bitsandbytes' own constants for 1 / 127^2 and 1 / 127: equality needs them, digit for digit.
constexpr double kInverse127Squared = 6.200124e-05;
constexpr double kInverse127 = 7.874015718698502e-3;

// A row of zeros has no scale; with any finite one its codes are 0.
constexpr double kLeastAbsmax = 1e-30;

// 1024 products of at most 127 * 127 sum below 2^24: every partial sum is a whole fp32 number.
constexpr int64_t kExactSlice = 1024;

class Int8Linear : public LinearWeight {
 public:
  Int8Linear(Int8Weight weight, at::Tensor bias)
      : weight_(std::move(weight)), bias_(std::move(bias)) {}

  at::Tensor apply(const at::Tensor& x) const override {
    const at::Tensor rows = x.reshape({-1, x.size(-1)});
    auto sizes = x.sizes().vec();
    sizes.back() = weight_.codes.size(0);
    if (x.is_cuda() && gpu_kernels() != nullptr) {
      return int8_product_on_gpu(rows, weight_, bias_, *gpu_kernels()).reshape(sizes);
    }
    const auto quantized = quantize_activations(rows.to(at::kHalf), weight_.threshold);
    const at::Tensor product = int8_matmul(quantized.codes, weight_.codes);
    const at::Tensor scale = quantized.absmax.unsqueeze(1) * weight_.absmax.unsqueeze(0);
    at::Tensor out = with_bias(product * scale * kInverse127Squared).to(x.scalar_type());
    if (quantized.outlier_columns.defined() && quantized.outlier_columns.numel() > 0) {
      out = add_outliers(out, rows, quantized.outlier_columns);
    }
    return out.reshape(sizes);
  }

  // The rounding of x to codes is part of what is computed; that of the sum is not.
  at::Tensor exact(const at::Tensor& x, const at::Tensor& rows) const override {
    const at::Tensor given = x.reshape({-1, x.size(-1)});
    const auto quantized = quantize_activations(given.to(at::kHalf), weight_.threshold);
    const at::Tensor absmax = weight_.absmax.index_select(0, rows).to(at::kDouble).unsqueeze(1);
    const at::Tensor decoded = weight_.codes.index_select(0, rows) * absmax * kInverse127;
    const at::Tensor steps = quantized.absmax.to(at::kDouble).unsqueeze(1) * kInverse127;
    at::Tensor out = at::linear(quantized.codes * steps, decoded);
    const at::Tensor& columns = quantized.outlier_columns;
    if (columns.defined() && columns.numel() > 0) {
      out += at::linear(given.index_select(1, columns).to(at::kDouble),
                        decoded.index_select(1, columns));
    }
    if (bias_.defined()) out += bias_.index_select(0, rows);
    auto sizes = x.sizes().vec();
    sizes.back() = rows.numel();
    return out.reshape(sizes);
  }

 private:
  // bitsandbytes' kernel writes float16, whatever the model's dtype: a float16 bias is added before
  // that rounding, any other one after it (backends/cuda/ops.py, int8_mm_dequant).
  at::Tensor with_bias(at::Tensor sum) const {
    const bool fused = bias_.defined() && bias_.scalar_type() == at::kHalf;
    if (fused) sum.add_(bias_);
    at::Tensor half = sum.to(at::kHalf);
    if (bias_.defined() && !fused) half.add_(bias_);
    return half;
  }

  at::Tensor add_outliers(const at::Tensor& out, const at::Tensor& rows,
                          const at::Tensor& columns) const {
    const at::Tensor decoded =
        weight_.codes.index_select(1, columns) * weight_.absmax.unsqueeze(1) * kInverse127;
    return at::addmm(out, rows.index_select(1, columns), decoded.to(rows.scalar_type()).t());
  }

  Int8Weight weight_;
  at::Tensor bias_;
};

// LibTorch's product on a GPU wants more than 16 rows, and multiples of 8 otherwise.
constexpr int64_t kLeastRows = 24;

at::Tensor int8_matmul_on_gpu(const at::Tensor& a, const at::Tensor& b) {
  if (a.size(1) % 8 != 0 || b.size(0) % 8 != 0) return int8_matmul_in_float(a, b);
  const int64_t rows = a.size(0), missing = padded_rows(rows) - rows;
  const at::Tensor padded = missing > 0 ? at::constant_pad_nd(a, {0, 0, 0, missing}) : a;
  return at::_int_mm(padded, b.t()).narrow(0, 0, rows);
}

}  // namespace

std::unique_ptr<LinearWeight> make_int8_linear(const Int8Weight& weight, const at::Tensor& bias) {
  return std::make_unique<Int8Linear>(
      Int8Weight{weight.codes.contiguous(), weight.absmax.reshape({-1}), weight.threshold}, bias);
}

QuantizedActivations quantize_activations(const at::Tensor& x, double threshold) {
  QuantizedActivations result;
  at::Tensor kept = x;
  if (threshold > 0) {
    const at::Tensor outliers = x.abs().ge(threshold);
    result.outlier_columns = outliers.any(0).nonzero().view({-1});
    if (result.outlier_columns.numel() > 0) kept = x.masked_fill(outliers, 0);
  }
  result.absmax = kept.abs().amax(1).to(at::kFloat);
  // Not 127 / absmax: the quotient rounds once, the product twice, and so does bitsandbytes.
  const at::Tensor scale = result.absmax.clamp_min(kLeastAbsmax).reciprocal_().mul_(127);
  result.codes = (kept * scale.unsqueeze(1)).round().to(at::kChar);
  if (x.size(0) > 1 && result.outlier_columns.defined()) {
    result.codes.index_fill_(1, result.outlier_columns, 0);
  }
  return result;
}

int64_t padded_rows(int64_t rows) {
  return std::max(kLeastRows, (rows + 7) / 8 * 8);
}

at::Tensor int8_matmul(const at::Tensor& a, const at::Tensor& b) {
  if (a.is_cuda()) return int8_matmul_on_gpu(a, b);
  // Without these instructions _int_mm is a scalar loop.
  static const bool has_vnni = at::cpu::is_avx512_vnni_supported();
  return has_vnni ? at::_int_mm(a, b.t()) : int8_matmul_in_float(a, b);
}

at::Tensor int8_matmul_in_float(const at::Tensor& a, const at::Tensor& b) {
  at::Tensor sum = at::zeros({a.size(0), b.size(0)}, a.options().dtype(at::kInt));
  for (int64_t begin = 0; begin < a.size(1); begin += kExactSlice) {
    const int64_t length = std::min(kExactSlice, a.size(1) - begin);
    const at::Tensor part = at::matmul(a.narrow(1, begin, length).to(at::kFloat),
                                       b.narrow(1, begin, length).to(at::kFloat).t());
    sum.add_(part.to(at::kInt));
  }
  return sum;
}

}  // namespace qspec
