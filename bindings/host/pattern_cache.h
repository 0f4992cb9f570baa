#pragma once

#include <memory>
#include <string_view>

#include "bindings/host/pattern.h"

namespace qspec::lua {

// Pattern(text, caret_is_plain), or the one made before of the same text: scripts use few patterns
// and each of them often, gmatch once a match. Keeps a bounded number of short ones. Shared, since
// a function that gsub calls may use patterns of its own.
std::shared_ptr<const Pattern> compiled_pattern(std::string_view text, bool caret_is_plain = false);

}  // namespace qspec::lua
