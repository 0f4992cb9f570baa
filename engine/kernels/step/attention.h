#pragma once

#include "engine/kernels/device.h"
#include "engine/kernels/step/attention_values.h"
#include "engine/kernels/step/places.h"

namespace qspec::cuda {

// Tables of rotary positions for the tokens of a step.
struct RotationTable {
  void* cos = nullptr;  // [batch, pairs]; fp32 when precise_table, otherwise as the model
  void* sin = nullptr;
  int32_t pairs = 0;  // 0: nothing is rotated
  bool precise_table = false;
};

// cos and sin of position * frequency, times amplitude.
struct RotationAngles {
  RotationTable to;
  const float* frequencies;  // [pairs]
  float amplitude;
  Progress progress;
  int64_t batch;
  Element element;
};

void rotation_angles(const RotationAngles& job, Stream stream);

// Attention of one new token a sequence: its keys and values go into the cache, and it sees those
// before it. H heads of queries, K of keys and values (K divides H), D values each.
struct StepAttention {
  HeadPlaces q = {}, k = {}, v = {};
  RotationTable table = {};  // q and k are rotated in their first 2 * pairs elements
  RotationStyle style = RotationStyle::kHalves;
  bool precise_rotation = false;  // products in fp32, rounded once
  void* keys;                     // [batch, K, capacity, D]
  void* values;
  int64_t capacity;
  Progress progress;
  int64_t batch;
  int32_t heads, kv_heads, width;  // H, K, D; D is even and at most 256
  Scoring scoring;
  int32_t window = 0;             // keys that are seen, the own one among them; 0: all
  const float* slopes = nullptr;  // [H], where positions are part of the scores
  void* out;                      // [batch, H * D]
  Element element;
};

// Of a capacity that the shared memory of the GPU holds the scores of.
int64_t step_attention_capacity(const StepAttention& job);
void step_attention(const StepAttention& job, Stream stream);

}  // namespace qspec::cuda
