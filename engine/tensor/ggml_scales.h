#pragma once

#include <cstdint>

#include "engine/core/dtype.h"

namespace qspec {

// The scales of one of ggml's blocks that are floats in the file; those that are codes of them
// do not count.
inline constexpr int kMostGgmlScales = 4;

// Reads them from a block to `scales` and returns how many there are.
using GgmlScales = int (*)(const uint8_t* block, float* scales);

GgmlScales ggml_scales(Dtype dtype);

}  // namespace qspec
