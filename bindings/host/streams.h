#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace qspec::lua {

// Writes all of `text` to standard output (1) or standard error (2), past any buffer. Throws
// Error(kIo) when the system refuses, as on a full disk. Without a reader on the other end of a
// pipe the rest goes nowhere, and nothing is thrown.
void write_stream(int descriptor, std::string_view text);

// The next line of standard input, without its end and cut after 4096 bytes; nothing when there is
// no more. Throws Error(kIo) when the system refuses.
std::optional<std::string> read_line();

// Columns of the terminal on a descriptor; COLUMNS when that is set, 80 when nothing is known.
int terminal_columns(int descriptor);

}  // namespace qspec::lua
