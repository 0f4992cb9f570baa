#pragma once

#include <ATen/core/Tensor.h>

#include "engine/model/attributes.h"

namespace qspec {

// The slopes f32 [H, 1] that the attribute "slopes" describes, as series of powers:
// {{base=, first=, step=, count=}, ...}.
at::Tensor alibi_slopes(Attributes& attributes);

}  // namespace qspec
