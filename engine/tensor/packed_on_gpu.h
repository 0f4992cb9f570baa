#pragma once

#include <c10/core/Device.h>

#include <memory>

#include "engine/tensor/packed.h"

namespace qspec {

// The weight with its codes on `device`, where it is decoded to the same values and compared; null
// when there is no kernel for its layout, or none is mapped (gpu_kernels.h).
std::shared_ptr<const PackedWeight> packed_on_gpu(const std::shared_ptr<const PackedWeight>& weight,
                                                  c10::Device device);

// A packed weight of parts that may lie on a GPU: it stays there when its codes do, and the rest
// follows them. Throw Error(kCheckpoint) when the parts do not fit each other.
std::shared_ptr<const PackedWeight> packed_where_it_lies(Codebook4 codes);
std::shared_ptr<const PackedWeight> packed_where_it_lies(Rowwise8 weight);

}  // namespace qspec
