#pragma once

#include <c10/core/ScalarType.h>

#include <string_view>

#include "engine/core/dtype.h"

namespace qspec {

// The LibTorch type of a stored dtype. Throws Error(kUnsupported) for those that LibTorch has no
// type for: the packed 4 and 6 bit ones.
at::ScalarType scalar_type_of(Dtype dtype);

// Throws Error(kUnsupported) for a type that no checkpoint can store.
Dtype dtype_of(at::ScalarType type);

// "float16". Throws like dtype_of.
std::string_view torch_name(at::ScalarType type);

// The type of that name. Throws Error(kSpec) with the nearest name.
at::ScalarType scalar_type_named(std::string_view name);

}  // namespace qspec
