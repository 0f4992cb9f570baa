#pragma once

#include <string>
#include <string_view>

namespace qspec {

// `text` with `with` for each `what`, from left to right. Nothing, as `what`, is before and behind
// every character.
std::string replaced(std::string_view text, std::string_view what, std::string_view with);

}  // namespace qspec
