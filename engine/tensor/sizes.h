#pragma once

#include <c10/core/ScalarType.h>
#include <c10/util/ArrayRef.h>

#include <cstdint>

namespace qspec {

// No tensor made here is larger: a script that asks for more has made a mistake.
inline constexpr int64_t kLargestTensorBytes = int64_t{64} << 30;

// The product of `shape`. Throws Error(kCheckpoint) for a negative size or an overflow.
int64_t element_count(c10::IntArrayRef shape);

// `shape` again, when a tensor of it stays within kLargestTensorBytes; else throws Error(kDevice).
c10::IntArrayRef checked_size(c10::IntArrayRef shape, at::ScalarType dtype);

}  // namespace qspec
