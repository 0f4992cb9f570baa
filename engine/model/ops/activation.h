#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

#include "engine/model/attributes.h"

namespace qspec {

using Activation = at::Tensor (*)(const at::Tensor&);

// The activation that an attribute names, as configs name it: "silu", "gelu_new".
Activation read_activation(Attributes& attributes, std::string_view key);

}  // namespace qspec
