#pragma once

#include <span>
#include <string>
#include <string_view>

namespace qspec {

// A hint with the nearest of `known`, or empty when none is near.
std::string did_you_mean(std::string_view name, std::span<const std::string> known);

}  // namespace qspec
