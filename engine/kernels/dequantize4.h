#pragma once

#include "engine/kernels/device.h"

namespace qspec::cuda {

// In host memory: it travels with the launch.
struct Codebook16 {
  float value[16];
};

// Codes of 4 bits with an absmax a block: Codebook4 (engine/tensor/codebook4.h) on the device.
struct Codes4OnDevice {
  const uint8_t* packed;  // [ceil(count / 2)], element 2k in the high nibble of byte k
  const float* absmax;    // [ceil(count / block_size)]
  Codebook16 codebook;
  int64_t count;
  int64_t block_size;  // even, at least 2; powers of two from 16 on are quick
};

// to[i] = codebook[code i] * absmax[i / block_size], rounded to fp32, then to `element`: the twin
// of dequantize(Codebook4), equal bit for bit but for those of a NaN.
void dequantize4(const Codes4OnDevice& codes, Element element, void* to, Stream stream);

}  // namespace qspec::cuda
