#pragma once

#include <string_view>

namespace qspec::lua {

// Writes all of `text` to standard output (1) or standard error (2), past any buffer. Throws
// Error(kIo) when the system refuses: a full disk, a closed pipe.
void write_stream(int descriptor, std::string_view text);

// Columns of the terminal on a descriptor; COLUMNS when that is set, 80 when nothing is known.
int terminal_columns(int descriptor);

}  // namespace qspec::lua
