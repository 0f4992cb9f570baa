#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace qspec {

// Reductions over a whole tensor as one number, computed in fp32 for the half types, in the
// tensor's own dtype for float32 and float64, and otherwise in int64 (sum) or float64.

double sum(const at::Tensor& tensor);
double mean(const at::Tensor& tensor);
double standard_deviation(const at::Tensor& tensor);  // divides by count - 1
double norm(const at::Tensor& tensor);                // square root of the sum of squares

// The same along one dimension, as a tensor without it; half types keep their dtype.
at::Tensor mean_along(const at::Tensor& tensor, int64_t dim);
at::Tensor standard_deviation_along(const at::Tensor& tensor, int64_t dim);
at::Tensor norm_along(const at::Tensor& tensor, int64_t dim);

// The one element of `scalar` as a double. Throws Error(kSpec) for a complex number or an integer
// that no double holds.
double number_of(const at::Tensor& scalar);

}  // namespace qspec
