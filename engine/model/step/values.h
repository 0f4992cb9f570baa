#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "engine/kernels/step/attention.h"
#include "engine/kernels/step/elements.h"
#include "engine/kernels/step/places.h"

// What the registers of a program stand for while a step is planned. Letters as in frame.h; there
// is one token of each sequence, so that hidden states are rows [B, width].
namespace qspec::step {

struct Rows;
using RowsPtr = std::shared_ptr<Rows>;

// An activation that has not been computed: the product behind it may take it in.
struct PendingActivation {
  cuda::ActivationKind kind;
  RowsPtr x;
};

// Rows in device memory, or what they will be the sum or the activation of.
struct Rows {
  void* data = nullptr;  // null until they are computed
  int64_t width = 0;
  int64_t stride = 0;            // elements from one row to the next
  std::shared_ptr<void> memory;  // goes back to the pool with the last that holds it
  std::vector<RowsPtr> terms;    // added from the left, rounded after each
  std::optional<PendingActivation> activation;
};

struct Rotation {
  cuda::RotationTable table;
  cuda::RotationStyle style;
  bool precise;
};

// [B, heads, 1, width] as they lie in the rows of a projection.
struct Heads {
  RowsPtr rows;
  cuda::HeadPlaces places;
  int32_t heads = 0, width = 0;
  std::optional<Rotation> rotation;  // not applied yet
};

// Keys or values of all tokens so far.
struct Cached {
  int64_t layer = 0;
  Heads added;
};

// Which keys are seen; 0: all.
struct Mask {
  int32_t window = 0;
};

struct Slopes {
  at::Tensor values;  // f32 [H]
};

// Scores that have not been computed, or shares of them.
struct Scores {
  Heads q;
  Cached k;
  cuda::Scoring scoring;
  at::Tensor slopes;
  std::optional<Mask> mask;
  bool shared = false;
};

using Value = std::variant<RowsPtr, Heads, cuda::RotationTable, Cached, Mask, Slopes, Scores>;

}  // namespace qspec::step
