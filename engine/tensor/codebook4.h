#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "engine/tensor/float_source.h"
#include "engine/tensor/kernels.h"

namespace qspec {

// A weight as 4-bit codes of a 16-value codebook with one absmax a block. Blocks run over the
// flattened weight and may straddle rows; the last one may be short. Element 2k is the high nibble
// of byte k.
struct Codebook4 {
  at::Tensor packed;           // u8 [ceil(n / 2)], any shape of that many
  at::Tensor codebook;         // f32 [16]
  at::Tensor absmax;           // f32 [ceil(n / block_size)]
  int64_t block_size = 0;      // even, 2 to 4096
  std::vector<int64_t> shape;  // product n
};

// A contiguous Codebook4 whose parts fit each other. Throws Error(kCheckpoint) otherwise.
Codebook4 checked(Codebook4 weight);

// The decoded values, in fp32: codebook[code] * absmax[block]. Stretches begin with a block.
FloatSource float_source(const Codebook4& weight);

// The same cast once to `dtype`: float32, float16 or bfloat16. Tensor of weight.shape.
at::Tensor dequantize(const Codebook4& weight, at::ScalarType dtype);

// Builds the rule that kernels.h describes. `thresholds` ascend, at most 15 of them, or 7 for a
// rule of magnitudes. `codes` holds one code more than there are thresholds; when it is empty the
// position is the code. Throws Error(kSpec).
CodeRule code_rule(std::span<const double> thresholds, std::span<const uint32_t> codes,
                   bool magnitude);

struct Quantized4 {
  at::Tensor packed;  // u8 [ceil(n / 2), 1]; an odd last element is followed by the code of 0
  at::Tensor absmax;  // f32 [ceil(n / block_size)]
};

// `weight` of any real dtype; values and their products with 1 / absmax are fp32.
Quantized4 quantize_codebook4(const at::Tensor& weight, const CodeRule& rule, int64_t block_size);

// How often each of the 16 codes occurs; the padding of an odd count apart.
std::vector<int64_t> code_histogram(const Codebook4& weight);

}  // namespace qspec
