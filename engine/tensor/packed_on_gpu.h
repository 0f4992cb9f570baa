#pragma once

#include <c10/core/Device.h>

#include <memory>

#include "engine/tensor/packed.h"

namespace qspec {

// The weight with its codes on `device`, where it is decoded to the same values; null when there is
// no kernel for its layout, or none is mapped (gpu_kernels.h). Comparing and counting stay with
// `weight`, which it holds.
std::shared_ptr<const PackedWeight> packed_on_gpu(std::shared_ptr<const PackedWeight> weight,
                                                  c10::Device device);

}  // namespace qspec
