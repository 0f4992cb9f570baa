#pragma once

#include "engine/kernels/device.h"
#include "engine/kernels/step/activation_values.h"
#include "engine/kernels/step/places.h"

namespace qspec::cuda {

// Rows of a table: out[b] = table[ids[b]], or, without ids, that of the position of row b plus
// `offset`. A row outside the table is taken for its last.
struct StepEmbedding {
  const void* table;             // [rows, width]
  const int64_t* ids = nullptr;  // [batch]
  Progress progress;
  int64_t offset = 0;
  int64_t batch, rows, width;
  void* out;  // [batch, width]
  Element element;
};

void step_embedding(const StepEmbedding& job, Stream stream);

// out = activation(x), rounded, times `other`, rounded, where there is one.
struct StepActivation {
  const void* x;
  const void* other = nullptr;
  int64_t x_row, other_row = 0;  // elements from one row of the batch to the next
  int64_t batch, width;
  ActivationKind kind;
  void* out;  // [batch, width]
  Element element;
};

void step_activation(const StepActivation& job, Stream stream);

enum class ArithmeticKind : int32_t { kAdd, kMultiply, kDivide, kSoftcap };

// out = x + y, x * y, x / y, or y * tanh(x / y) rounded at each step; `number` stands for y where
// that is null.
struct StepArithmetic {
  ArithmeticKind kind;
  const void* x;
  const void* y = nullptr;
  float number = 0;
  int64_t x_row, y_row = 0;
  int64_t batch, width;
  void* out;  // [batch, width]
  Element element;
};

// One element; y is the number where there is no second operand.
template <class Rounded>
QSPEC_BOTH float calculated(ArithmeticKind kind, float x, float y, const Rounded& rounded) {
  switch (kind) {
    case ArithmeticKind::kAdd:
      return x + y;
    case ArithmeticKind::kMultiply:
      return x * y;
    case ArithmeticKind::kDivide:
      return x / y;
    case ArithmeticKind::kSoftcap:
      return rounded(tanhf(rounded(x / y))) * y;
  }
  return x;
}

void step_arithmetic(const StepArithmetic& job, Stream stream);

}  // namespace qspec::cuda
