#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace qspec {

// The candidate that `name` was probably meant to be: fewest edits, case apart, at most a third of
// the name's length (and never fewer than one). Nothing when none is that near.
std::optional<std::string> nearest_name(std::string_view name,
                                        std::span<const std::string> candidates);

}  // namespace qspec
