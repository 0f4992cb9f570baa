#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "engine/model/linear.h"

namespace qspec {

// LLM.int8() as bitsandbytes 0.50 computes it. `bias` may be undefined.
std::unique_ptr<LinearWeight> make_int8_linear(const Int8Weight& weight, const at::Tensor& bias);

// x [M, I] fp16 in, codes int8 [M, I] and absmax f32 [M] out: bitsandbytes' vector-wise
// quantization. Magnitudes of `threshold` or more do not count, and where M > 1 their whole columns
// become 0. `outlier_columns` int64 [n] is undefined when the threshold is 0.
struct QuantizedActivations {
  at::Tensor codes;
  at::Tensor absmax;
  at::Tensor outlier_columns;
};
QuantizedActivations quantize_activations(const at::Tensor& x, double threshold);

// a int8 [M, K] times the transpose of b int8 [N, K], exactly: int32 [M, N].
at::Tensor int8_matmul(const at::Tensor& a, const at::Tensor& b);

// As many rows as a GPU's product of whole numbers wants for `rows`: those behind are not used.
int64_t padded_rows(int64_t rows);

// The same without integer instructions: in fp32, by slices of K that are short enough to be exact.
at::Tensor int8_matmul_in_float(const at::Tensor& a, const at::Tensor& b);

}  // namespace qspec
