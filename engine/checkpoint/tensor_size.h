#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/core/dtype.h"

namespace qspec {

// Bytes of a tensor of `shape`, row-major and without padding. Throws Error(kCheckpoint), naming
// the tensor, when they do not fit 64 bits (a later dimension of 0 does not excuse that) or are not
// whole blocks of the dtype.
uint64_t stored_bytes(std::string_view name, Dtype dtype, std::span<const uint64_t> shape);

}  // namespace qspec
