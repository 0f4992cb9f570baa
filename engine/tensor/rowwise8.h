#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "engine/tensor/float_source.h"

namespace qspec {

// A weight as int8 codes with one absmax a row: value = code * absmax / 127.
struct Rowwise8 {
  at::Tensor codes;   // i8 [O, I]
  at::Tensor absmax;  // f32 [O]
};

// A contiguous Rowwise8 whose parts fit each other. Throws Error(kCheckpoint) otherwise.
Rowwise8 checked(Rowwise8 weight);

// `weight` [O, I] is rounded to float16 first, as bitsandbytes does. absmax is the largest
// magnitude of the row, NaNs apart; code = w * (127 * (1 / absmax)) in fp32, rounded to nearest,
// ties to even, and 0 where that is not a number (a row of zeros).
Rowwise8 quantize_rowwise_int8(const at::Tensor& weight);

// The decoded values in fp32: code * absmax * (1 / 127), two products, as bitsandbytes does.
FloatSource float_source(const Rowwise8& weight);

// The same cast once to `dtype`. [O, I]
at::Tensor dequantize(const Rowwise8& weight, at::ScalarType dtype);

}  // namespace qspec
