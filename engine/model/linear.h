#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "engine/model/weights.h"

namespace qspec {

struct Codebook4;

// What a kernel multiplies by: one of the two.
struct KernelOperand {
  at::Tensor dense;                  // [O, I], in the dtype of the input
  const Codebook4* codes = nullptr;  // of a packed weight, which holds them
  at::Tensor bias;                   // [O] or undefined
  bool bias_apart = false;           // the product is rounded before the bias is added
};

// The weight of a linear layer, however it is stored.
class LinearWeight {
 public:
  virtual ~LinearWeight() = default;

  // x [..., I] -> [..., O], in the dtype of x. Safe to call from several threads.
  virtual at::Tensor apply(const at::Tensor& x) const = 0;

  // The outputs `rows` int64 [n] alone, summed in fp64 and not rounded: x [..., I] -> f64 [..., n].
  virtual at::Tensor exact(const at::Tensor& x, const at::Tensor& rows) const = 0;

  // What apply multiplies an x of `dtype` by, where that is all it does. Empty for a weight that is
  // decoded at every call, and one whose inputs or outputs are rounded on the way.
  virtual std::optional<KernelOperand> operand(at::ScalarType /*dtype*/) const { return {}; }
};

// By module name.
using Linears = std::map<std::string, std::shared_ptr<const LinearWeight>, std::less<>>;

// x times `rows` of `weight` [O, I] as LinearWeight::exact does it. `bias` [O] may be undefined.
at::Tensor exact_product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                         const at::Tensor& rows);

// Bytes of decoded weights that may still be kept. Shared by the linears of one model.
struct DenseBudget {
  int64_t bytes_left = 0;
};

// Chooses by what `module` holds; it must hold one of the three.
std::unique_ptr<LinearWeight> make_linear(const ModuleWeights& module, DenseBudget& budget);

}  // namespace qspec
