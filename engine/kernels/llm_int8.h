#pragma once

#include "engine/kernels/device.h"

namespace qspec::cuda {

// Both sides of LLM.int8()'s product, whose middle, int8 codes times int8 codes, is LibTorch's: the
// twins of quantize_activations and of what Int8Linear does to the product
// (engine/model/linear_int8.cc), which reproduce bitsandbytes 0.50.

// Rounds x to float16, and each row of that to 8 bits with an absmax. Magnitudes of `threshold` and
// more are outliers: they do not count, and where there are several rows their whole columns become
// 0. With a threshold of 0 there are none.
struct Int8Activations {
  const void* x;  // [rows, columns]
  Element element;
  int64_t rows;
  int64_t columns;
  float threshold;
  int8_t* codes;             // [rows, columns]
  float* absmax;             // [rows]
  int32_t* outlier_columns;  // [1 + columns]: how many columns have one, then these, ascending
  uint8_t* workspace;        // [columns]
};
void quantize_activations8(const Int8Activations& job, Stream stream);

// y = product * absmaxes, rounded to float16, with the bias before that rounding where it is a
// float16 and after it otherwise; then, where there are outliers, their columns of x times those of
// the weight, decoded to `element`, added in fp32.
struct Int8Result {
  const int32_t* product;  // [rows, outputs]
  int64_t product_stride;  // from one row to the next, at least `outputs`
  const float* row_absmax;
  const float* weight_absmax;      // [outputs]
  const int8_t* weight;            // [outputs, columns]
  const void* x;                   // [rows, columns]
  Element element;                 // of x and y
  const int32_t* outlier_columns;  // as above
  const void* bias = nullptr;      // [outputs], or null
  Element bias_element = Element::kFloat16;
  int64_t rows;
  int64_t outputs;
  int64_t columns;
  void* y;  // [rows, outputs]
};
void finish_product8(const Int8Result& job, Stream stream);

}  // namespace qspec::cuda
