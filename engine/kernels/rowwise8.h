#pragma once

#include <cmath>

#include "engine/kernels/both.h"
#include "engine/kernels/device.h"

namespace qspec::cuda {

// w * scale rounded to the nearest integer, ties to even; 0 where that is none of 8 bits, a NaN
// among them.
QSPEC_BOTH inline int8_t rowwise8_code(float w, float scale) {
#if defined(__CUDA_ARCH__)
  const float scaled = __fmul_rn(w, scale);
#else
  const float scaled = w * scale;
#endif
  return fabsf(scaled) < 127.5f ? static_cast<int8_t>(rintf(scaled)) : int8_t{0};
}

// The twin of quantize_rowwise_int8 (engine/tensor/rowwise8.h), bit for bit: `weight` [rows,
// columns] is rounded to float16 first; codes [rows, columns], absmax [rows].
void quantize_rowwise8(const void* weight, Element element, int64_t rows, int64_t columns,
                       int8_t* codes, float* absmax, Stream stream);

// code * absmax * (1 / 127), two products in fp32, then rounded to `element`.
void dequantize_rowwise8(const int8_t* codes, const float* absmax, int64_t rows, int64_t columns,
                         Element element, void* to, Stream stream);

}  // namespace qspec::cuda
