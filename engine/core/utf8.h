#pragma once

#include <cstddef>
#include <string_view>

namespace qspec {

// Length of the well-formed UTF-8 sequence at the start of `text`, 0 when there is none. `text` is
// not empty.
size_t utf8_sequence(std::string_view text);

// Whether all of `text` is well-formed UTF-8.
bool is_utf8(std::string_view text);

}  // namespace qspec
