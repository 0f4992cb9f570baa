#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace qspec {

// The `count` highest of `scores` [V] (fewer when V is less), the highest first; of equal ones the
// first comes first, as argmax has it. Returns their indices.
std::vector<int64_t> highest(std::span<const float> scores, size_t count);

}  // namespace qspec
