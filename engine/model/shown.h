#pragma once

#include <string>

#include "engine/core/json.h"

namespace qspec {

// A value as an error shows it: JSON text, cut short, bytes that are not UTF-8 replaced.
std::string shown(const Json& value);

}  // namespace qspec
