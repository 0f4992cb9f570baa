#pragma once

#include "engine/kernels/device.h"
#include "engine/tensor/kernels.h"

namespace qspec::cuda {

// What the intermediate results of a Coded are rounded to.
enum class Step { kNone, kFloat16, kBfloat16 };

// A checked Coded (engine/tensor/coded.h) on the device: the form that most quantizers' layouts
// become. Rows share scales as ScaleGrid (engine/tensor/scale_grid.h) says.
struct CodedOnDevice {
  const uint8_t* codes;  // [rows, row_bytes]
  int64_t row_bytes;
  int bits;  // 1 to 8
  CodeValues kind;
  float base;                       // of kOffset
  const float* values;              // [2^bits], for kTable
  const float* scales;              // [row groups, column_groups]
  const float* zeros = nullptr;     // the same, or null
  const float* shifts = nullptr;    // the same, or null
  const int32_t* groups = nullptr;  // [columns]: the column group of each, or null
  int64_t column_groups;
  int64_t block_columns;
  int64_t period;  // rows after which the row groups begin anew
  int64_t groups_per_period;
  int64_t block_rows;
  int64_t rows;
  int64_t columns;
  Step step = Step::kNone;
};

// weight = (values[code] - zero) * scale + shift, as dequantize(Coded) computes it: equal bit for
// bit but for those of a NaN. `to`: [rows, columns].
void dequantize_coded(const CodedOnDevice& weight, Element element, void* to, Stream stream);

}  // namespace qspec::cuda
