#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace qspec {

class PackedWeight;

// A linear of LLM.int8(): codes int8 [O, I], absmax f32 [O] (bitsandbytes calls it SCB). Columns of
// the activations that hold a magnitude of `threshold` or more are multiplied in 16 bit; 0: none.
struct Int8Weight {
  at::Tensor codes;
  at::Tensor absmax;
  double threshold = 0;
};

// What one module holds. At most one of `weight`, `packed` and `int8` is set.
struct ModuleWeights {
  at::Tensor weight;
  at::Tensor bias;  // undefined when the module has none
  std::shared_ptr<const PackedWeight> packed;
  std::optional<at::ScalarType> compute_dtype;  // of a packed weight; empty: that of the input
  std::optional<Int8Weight> int8;
};

// By module name: "transformer.h.0.mlp.dense_h_to_4h".
using Weights = std::map<std::string, ModuleWeights, std::less<>>;

}  // namespace qspec
