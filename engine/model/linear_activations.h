#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "engine/model/linear.h"
#include "engine/model/weights.h"

namespace qspec {

// x rounded to codes and back, in the dtype of x and with the rounding steps of compressed-tensors
// 0.20 (calculate_qparams, _quantize_dequantize). x [..., I] has its shape kept.
at::Tensor round_activations(const at::Tensor& x, const ActivationRounding& rounding);

// A linear whose input is rounded first.
std::unique_ptr<LinearWeight> with_rounded_input(std::unique_ptr<LinearWeight> product,
                                                 const ActivationRounding& rounding);

// Throws Error(kUnsupported) for numbers that nothing can be computed with.
void check_rounding(const ActivationRounding& rounding);

}  // namespace qspec
