#pragma once

#include "engine/kernels/device.h"
#include "engine/kernels/step/places.h"

namespace qspec::cuda {

// Where the weight comes in decides the last bits in half precision: as in
// engine/model/ops/norm.cc.
enum class NormKind : int32_t {
  kLayer,              // (x - mean) / deviation, times weight, plus bias, rounded once
  kRmsAfterRounding,   // x / rms is rounded, times weight is rounded
  kRmsBeforeRounding,  // x / rms times weight is rounded
  kRmsOnePlus,         // x / rms times (1 + weight) is rounded
};

// A norm over each row, with the sum before it: sum = x + added, rounded, norm of the sum. Rows are
// those of a batch, or the heads of each. Sums of a row are in fp32, in an order that depends on
// its width alone.
struct StepNorm {
  HeadPlaces x = {};             // of `heads` heads of `width`
  const void* added[2] = {};     // placed as x; rounded after each
  void* sum = nullptr;           // placed as x; where something is added
  const void* weight = nullptr;  // [width]; null: ones
  const void* bias = nullptr;    // [width] or null
  void* out = nullptr;           // placed as x
  int64_t batch = 0, heads = 1, width = 0;
  float eps = 0;
  NormKind kind = NormKind::kLayer;
  Element element = Element::kFloat32;  // of all of it
};

void step_norm(const StepNorm& job, Stream stream);

}  // namespace qspec::cuda
