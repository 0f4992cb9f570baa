#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace qspec {

// The 256 values of bitsandbytes' dynamic data type, f32 [256], ascending.
at::Tensor dynamic_codebook_tensor();

// codebook[codes] * absmax[i / block_size]: f32 of the shape of `codes`. `codes` u8, `codebook`
// f32 [256], `absmax` f32 [ceil(n / block_size)]. Throws Error(kCheckpoint) when they do not fit.
at::Tensor dequantize_codebook8(const at::Tensor& codes, const at::Tensor& codebook,
                                const at::Tensor& absmax, int64_t block_size);

struct Quantized8 {
  at::Tensor codes;   // u8, shape of the values
  at::Tensor absmax;  // f32 [ceil(n / block_size)]
};

// Nearest codes of values / absmax; blockwise8.h says how ties fall.
Quantized8 quantize_codebook8(const at::Tensor& values, const at::Tensor& codebook,
                              int64_t block_size);

}  // namespace qspec
