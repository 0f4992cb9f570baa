#pragma once

#include <string_view>

namespace qspec {

// What a file that should be safetensors is instead, by its first bytes, as the hint of an error;
// "" when nothing is recognised. 64 bytes are enough.
std::string_view foreign_file_hint(std::string_view first_bytes);

}  // namespace qspec
