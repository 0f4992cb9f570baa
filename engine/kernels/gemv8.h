#pragma once

#include "engine/kernels/device.h"
#include "engine/tensor/kernels.h"

namespace qspec::cuda {

// y = x W^T for a weight of 8-bit codes and a few rows of x, as gemv4.h says it. weight =
// value(code) * scale + shift, or (value(code) - zero) * scale.
struct Gemv8 {
  static constexpr int64_t kMostBatch = 64;

  const uint8_t* codes;  // [rows, columns]
  CodeValues kind;       // kSigned or kE4m3
  const float* scales;   // [rows / group_rows, scales_per_row], rounded up
  const float* zeros = nullptr;
  const float* shifts = nullptr;
  int64_t rows;
  int64_t columns;         // multiples of 64 are quick
  int64_t group;           // columns that share a scale: quick are powers of two, from 32 on for
                           // kSigned and from 64 on for kE4m3, and all columns
  int64_t group_rows = 1;  // rows that do: quick are powers of two
  int64_t scales_per_row;
  const void* x;               // [batch, columns]
  Element element;             // of x, bias and y
  int64_t batch;               // 1 to kMostBatch
  const void* bias = nullptr;  // [rows] or null
  bool bias_apart = false;     // the product is rounded before the bias is added
  void* y;                     // [batch, rows]
};

// Codes are exact in float16.
void gemv8(const Gemv8& job, Stream stream);

}  // namespace qspec::cuda
