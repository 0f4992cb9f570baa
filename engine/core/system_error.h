#pragma once

#include <string>
#include <string_view>

#include "engine/core/error.h"

namespace qspec {

// What the operating system said no to: "cannot <action>: <text of code>", at `path`. `code` is
// an errno value.
Error system_error(std::string_view action, const std::string& path, int code);

}  // namespace qspec
