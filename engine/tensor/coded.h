#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/tensor/column_streams.h"
#include "engine/tensor/float_source.h"

namespace qspec {

// A weight as codes of a few bits, and what they stand for: the one form that nearly every
// quantizer's layout becomes once its bits are in order (repack.h).
//
//   weight = (values[code] - zero) * scale + shift
//
// in fp32, rounded after each operation. Rows are all dimensions of `shape` but the last, taken
// together. A group of rows and columns shares a scale; the groups need not divide the shape. With
// three dimensions the row groups begin anew with each matrix, unless the number of scales is that
// of groups over all rows together.
struct Coded {
  at::Tensor codes;  // any dtype, read as bytes: [rows] little endian streams of equal length, code
                     // c of a row in the bits from bits * c on; a row may be longer than its codes
  std::optional<ColumnStreams> columns;  // in place of `codes`, where they are not in rows yet
  // Where the codes lie in the words of `codes` instead, if not empty: code e of the weight,
  // counted over all rows, is the field of word e % words that begins at bit planes[e / words].
  // Words have 8, 16 or 32 bits then, and codes 1 to 4.
  std::vector<int64_t> planes = {};
  int bits = 0;             // 1 to 8
  at::Tensor values;        // [2^bits]: what each code stands for
  at::Tensor scales;        // [row groups, column groups], any real dtype
  at::Tensor scale_values;  // [256]: what scales of one byte stand for, or undefined
  at::Tensor zeros;         // the same, or undefined: subtracted before scaling
  at::Tensor shifts;        // the same, or undefined: added after scaling
  at::Tensor groups;        // integers [columns]: the column group of each column, or undefined:
                            // column / block_columns
  int64_t block_rows = 0;
  int64_t block_columns = 0;
  // The dtype that the difference, and where there are shifts the product too, are rounded to:
  // float16 or bfloat16, for libraries that compute in it.
  std::optional<at::ScalarType> step = std::nullopt;
  std::vector<int64_t> shape;  // [out, in] or [experts, out, in]
};

// A Coded with contiguous parts that fit each other: values in fp32, scales, zeros and shifts in
// fp32 too (wider ones are rounded) unless they are as GroupNumbers take them, groups in int32.
// Throws Error(kCheckpoint) otherwise.
Coded checked(Coded weight);

// These take checked weights.

int64_t row_count(const Coded& weight);

// The decoded values. Stretches may begin anywhere.
FloatSource float_source(const Coded& weight);

// The same cast once to `dtype`: float32, float16 or bfloat16. Tensor of weight.shape.
at::Tensor dequantize(const Coded& weight, at::ScalarType dtype);

// How often each of the 2^bits codes occurs.
std::vector<int64_t> code_histogram(const Coded& weight);

}  // namespace qspec
