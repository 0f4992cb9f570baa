#include "engine/tensor/reductions.h"

#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/std.h>
#include <ATen/ops/sum.h>

#include <optional>
#include <string>

#include "engine/core/error.h"

namespace qspec {
namespace {

constexpr int64_t kLargestExact = int64_t{1} << 53;

// Integers have neither mean nor norm in LibTorch.
at::Tensor as_float(const at::Tensor& tensor) {
  return tensor.is_floating_point() || tensor.is_complex() ? tensor : tensor.to(at::kDouble);
}

// Small types overflow, and lose digits, in their own precision.
std::optional<at::ScalarType> wide_type(const at::Tensor& tensor) {
  if (!tensor.is_floating_point() || tensor.element_size() >= 4) return std::nullopt;
  return at::kFloat;
}

}  // namespace

double sum(const at::Tensor& tensor) {
  return number_of(at::sum(tensor, wide_type(tensor)));
}

double mean(const at::Tensor& tensor) {
  return number_of(at::mean(as_float(tensor), wide_type(tensor)));
}

double standard_deviation(const at::Tensor& tensor) {
  const at::Tensor values = as_float(tensor);
  return number_of(at::std(values.to(wide_type(values).value_or(values.scalar_type()))));
}

double norm(const at::Tensor& tensor) {
  return number_of(at::linalg_vector_norm(as_float(tensor), 2, at::OptionalIntArrayRef(), false,
                                          wide_type(tensor)));
}

at::Tensor mean_along(const at::Tensor& tensor, int64_t dim) {
  return at::mean(as_float(tensor), dim);
}

at::Tensor standard_deviation_along(const at::Tensor& tensor, int64_t dim) {
  return at::std(as_float(tensor), at::OptionalIntArrayRef(dim), /*unbiased=*/true);
}

at::Tensor norm_along(const at::Tensor& tensor, int64_t dim) {
  return at::linalg_vector_norm(as_float(tensor), 2, dim);
}

double number_of(const at::Tensor& scalar) {
  if (scalar.is_complex()) throw Error(ErrorKind::kSpec, "a complex number is no Lua number");
  if (scalar.is_floating_point()) return scalar.item<double>();
  const auto value = scalar.item<int64_t>();
  if (value >= -kLargestExact && value <= kLargestExact) return static_cast<double>(value);
  throw Error(ErrorKind::kSpec, std::to_string(value) + " is beyond 2^53: no Lua number holds it");
}

}  // namespace qspec
