#pragma once

#include <string_view>

namespace qspec::lua {

// Writes all of `text` to standard output (1) or standard error (2), past any buffer. Throws
// Error(kIo) when the system refuses, as on a full disk. Without a reader on the other end of a
// pipe the rest goes nowhere, and nothing is thrown.
void write_stream(int descriptor, std::string_view text);

// Columns of the terminal on a descriptor; COLUMNS when that is set, 80 when nothing is known.
int terminal_columns(int descriptor);

}  // namespace qspec::lua
