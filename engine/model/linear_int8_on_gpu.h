#pragma once

#include <ATen/core/Tensor.h>

#include "engine/kernels/table.h"
#include "engine/model/weights.h"

namespace qspec {

// LLM.int8() on a GPU, as linear_int8.h says it: x [M, I] there -> [M, O] in the dtype of x.
// Rounding and what follows the product are kernels of ours, the product of whole numbers is
// LibTorch's. `bias` may be undefined.
at::Tensor int8_product_on_gpu(const at::Tensor& x, const Int8Weight& weight,
                               const at::Tensor& bias, const cuda::KernelTable& kernels);

}  // namespace qspec
