#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/core/dtype.h"
#include "engine/tensor/simd.h"

namespace qspec {

// Decodes `count` whole blocks to floats, as ggml does: its arithmetic in fp32, each operation
// rounded. All versions give the same bits, but for those of a NaN.
using GgmlDecode = void (*)(const uint8_t* blocks, size_t count, float* to);

// Of one of ggml's blocks (core/dtype.h). The processor must have `level`.
GgmlDecode ggml_decoder(Dtype dtype, Simd level);

}  // namespace qspec
