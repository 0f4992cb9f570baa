#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "engine/model/attributes.h"

namespace qspec {

// Frequencies of rotary positions, fp32 [width / 2]: theta^(-2 i / width), scaled.
class RopeFrequencies {
 public:
  virtual ~RopeFrequencies() = default;

  // For a run that reaches `length` tokens: two kinds of scaling depend on it.
  virtual at::Tensor of(int64_t length) const = 0;
};

// Reads the attributes width, theta and scaling, and those of the scaling:
//
//   default
//   linear    factor
//   dynamic   factor, context: theta grows once a run is longer than the context
//   llama3    factor, low, high, original: long waves are divided, short ones are not, a blend
//             between; low and high are numbers of waves in the original context
//   yarn      factor, low, high: a blend over the frequencies of these indices
//   longrope  short, long: a divisor for each frequency; original: the length where long begins
std::shared_ptr<const RopeFrequencies> read_rope_frequencies(Attributes& attributes);

}  // namespace qspec
