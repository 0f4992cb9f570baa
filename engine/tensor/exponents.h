#pragma once

#include <ATen/core/Tensor.h>

namespace qspec {

// The scales that exponent bytes stand for: 2^(byte - 127), NaN for 255. uint8 or float8_e8m0fnu to
// float32 of the same shape. Throws Error(kCheckpoint) for another dtype.
at::Tensor powers_of_two(const at::Tensor& exponents);

}  // namespace qspec
