#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "engine/model/weights.h"

namespace qspec {

// The weight of a linear layer, however it is stored.
class LinearWeight {
 public:
  virtual ~LinearWeight() = default;

  // x [..., I] -> [..., O], in the dtype of x. Safe to call from several threads.
  virtual at::Tensor apply(const at::Tensor& x) const = 0;

  // The outputs `rows` int64 [n] alone, summed in fp64 and not rounded: x [..., I] -> f64 [..., n].
  virtual at::Tensor exact(const at::Tensor& x, const at::Tensor& rows) const = 0;
};

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
