#pragma once

#include "engine/core/dtype.h"
#include "engine/kernels/device.h"

namespace qspec::cuda {

// Whether dequantize_ggml decodes these blocks: the legacy, k-quant, non-linear and fp4 ones. The
// other i-quants and the ternary blocks of five digits a byte are left to the CPU.
bool decodes_ggml(Dtype dtype);

// The twin of GgmlDecode (engine/tensor/ggml_decoders.h), equal bit for bit but for those of a NaN,
// then rounded to `element`. `count` whole blocks, aligned to 2 bytes.
void dequantize_ggml(Dtype dtype, const uint8_t* blocks, int64_t count, Element element, void* to,
                     Stream stream);

}  // namespace qspec::cuda
