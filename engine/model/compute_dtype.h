#pragma once

#include <c10/core/ScalarType.h>

#include <string_view>

namespace qspec {

// The dtype of this name as torch prints it, "float16", if a linear layer can compute in it. Throws
// Error(kUnsupported) otherwise.
at::ScalarType compute_dtype_named(std::string_view name);

}  // namespace qspec
