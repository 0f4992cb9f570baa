#pragma once

#include <cstdint>
#include <optional>

#include "engine/core/dtype.h"

namespace qspec {

// The dtype that a number in a GGUF file stands for.
std::optional<Dtype> dtype_of_ggml_type(uint64_t number);

// Whether a former version of ggml gave the number to a type that exists no more.
bool is_removed_ggml_type(uint64_t number);

}  // namespace qspec
