#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace qspec {

// Which tokens may be drawn, and from which numbers. The defaults are those of transformers 5.17.
struct Sampling {
  double temperature = 1;
  double top_h = 0;    // 0: off
  int64_t top_k = 50;  // 0: off
  double top_p = 1;
  double min_p = 0;
  double typical_p = 1;
  double epsilon_cutoff = 0;
  double eta_cutoff = 0;
  uint64_t seed = 0;
};

// scores f32 [V] -> the same over the temperature, with minus infinity for tokens that must not be
// drawn: the logits warpers of transformers 5.17 in their order (temperature, top_h, top_k, top_p,
// min_p, typical_p, epsilon_cutoff, eta_cutoff), each on what the one before left.
at::Tensor filtered(const Sampling& sampling, const at::Tensor& scores);

// The token at which the cumulative softmax of `scores` f32 [V], summed in fp64 in the order of the
// ids, exceeds `uniform` of [0, 1).
int64_t draw(const at::Tensor& scores, double uniform);

}  // namespace qspec
