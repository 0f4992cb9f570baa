#pragma once

#include "engine/kernels/device.h"

namespace qspec::cuda {

// y = x W^T + bias for a dense weight and a few rows of x. Sums are in fp32, in an order that
// depends on `columns` alone: a row gives the same bits in every batch.
struct DenseProduct {
  static constexpr int64_t kMostBatch = 8;

  const void* weight;          // [rows, columns]
  const void* bias = nullptr;  // [rows] or null
  bool bias_apart = false;     // the product is rounded before the bias is added
  const void* x;               // [batch, columns]
  void* y;                     // [batch, rows]
  int64_t rows, columns;
  int64_t batch;  // 1 to kMostBatch
  Element element;
};

void dense_product(const DenseProduct& job, Stream stream);

}  // namespace qspec::cuda
