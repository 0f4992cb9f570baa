#pragma once

#include <cstdint>

#include "engine/core/json.h"
#include "engine/model/weights.h"

namespace qspec::step {

// Puts the 4-bit codes of linears that read the same register one behind the other ("q", "k", "v";
// "gate", "up"), so that a step multiplies by them in one go. The weights stay what they are; their
// parts are copied, and the copies take the place of those in `weights`, as far as `room` bytes go.
void place_side_by_side(const Json& ops, Weights& weights, int64_t room);

}  // namespace qspec::step
