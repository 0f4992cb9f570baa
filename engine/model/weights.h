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

// How the input of a linear is rounded before it is multiplied (compressed-tensors quantizes
// activations so, where no kernel does). Scales are found from the input unless `scale` is given.
struct ActivationRounding {
  enum class Codes { kInteger, kE4M3, kE2M1 };
  enum class Extent { kTensor, kToken, kGroup };    // of what shares a scale
  enum class Scales { kPlain, kExponents, kE4M3 };  // what they are rounded to
  Codes codes = Codes::kInteger;
  Extent extent = Extent::kToken;
  Scales scales = Scales::kPlain;
  int bits = 8;  // of integers
  bool symmetric = true;
  int64_t group_size = 0;
  at::Tensor scale;         // [1] or undefined
  at::Tensor zero_point;    // [1] or undefined
  at::Tensor global_scale;  // f32 [1], of scales that are e4m3
};

// What one module holds. At most one of `weight`, `packed` and `int8` is set.
struct ModuleWeights {
  at::Tensor weight;
  at::Tensor bias;  // undefined when the module has none
  std::shared_ptr<const PackedWeight> packed;
  std::optional<at::ScalarType> compute_dtype;  // of a packed weight; empty: that of the input
  std::optional<Int8Weight> int8;
  std::optional<ActivationRounding> input;
  // Where a library rounds more often than once, and tokens depend on it.
  std::optional<at::ScalarType> decode_dtype;  // a packed weight is decoded to it, and then cast
  at::Tensor output_scale;                     // [O]: the product is rounded, then multiplied by it
  bool bias_apart = false;                     // the product is rounded before the bias is added
};

// By module name: "transformer.h.0.mlp.dense_h_to_4h".
using Weights = std::map<std::string, ModuleWeights, std::less<>>;

}  // namespace qspec
