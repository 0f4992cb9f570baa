#pragma once

#include "engine/kernels/dequantize4.h"
#include "engine/kernels/device.h"

namespace qspec::cuda {

// y = x W^T for a weight of 4-bit codes and a few rows of x, without decoding W to memory.
struct Gemv4 {
  static constexpr int64_t kMostBatch = 64;

  const uint8_t* packed;  // [rows, columns / 2]
  const float* scales;
  const float* zeros = nullptr;  // the same number: subtracted from the values before scaling
  Codebook16 codebook;           // what a code stands for
  bool low_nibble_first = false;
  int64_t rows;
  int64_t columns;                // even; multiples of 64 are quick
  int64_t group;                  // columns that share a scale: quick are powers of two from 32 on,
                                  // and all columns
  int64_t scales_per_row = 0;     // 0: groups run over the flattened weight
  const void* x;                  // [batch, columns]
  Element element;                // of x, bias and y
  int64_t batch;                  // 1 to kMostBatch
  const void* bias = nullptr;     // [rows] or null
  bool bias_apart = false;        // the product is rounded before the bias is added
  void* y;                        // [batch, rows]
  void* workspace;                // no longer used: may be null
  const float* shifts = nullptr;  // the same number, and no zeros: added after scaling
};

size_t gemv4_workspace_bytes(int64_t columns);

// Products are of float16 numbers, sums in fp32 in an order that depends on the shape and the
// device alone. Values of the codebook are rounded to float16 (a relative 2^-12; a decoded weight
// in bfloat16 is off by 2^-9), scales stay in fp32. A row of bfloat16 or float32 is first scaled by
// a power of two into the range of float16, which takes bits from those of its elements alone that
// are 2^-28 of the largest or less.
void gemv4(const Gemv4& job, Stream stream);

}  // namespace qspec::cuda
