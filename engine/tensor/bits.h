#pragma once

#include <ATen/core/Tensor.h>

namespace qspec {

// Same dtype, same shape and the same bits: a NaN equals itself, 0 and -0 differ.
bool equal_bits(const at::Tensor& a, const at::Tensor& b);

}  // namespace qspec
