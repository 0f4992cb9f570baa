#pragma once

#include <c10/core/Device.h>

#include "engine/model/weights.h"

namespace qspec {

// The weights with their tensors on `device`: a tensor that several modules hold is copied once.
// A packed weight that no kernel there decodes stays where it is; what is decoded of it follows the
// activations (linear.h).
Weights placed(const Weights& weights, c10::Device device);

}  // namespace qspec
