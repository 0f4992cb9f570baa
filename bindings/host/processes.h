#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace qspec::lua {

struct Ended {
  int code = 0;    // of an exit; 0 when a signal ended it
  int signal = 0;  // 0 unless a signal ended it
};

// Runs programs at once, each a path and its words, with nothing to read and the standard error of
// this process. Calls on_line(number of the command, line) for each line that one of them writes,
// as it comes and without its end. Those that run when on_line throws are killed, and so they are
// when this process dies. Throws Error(kIo) for what the system refuses.
std::vector<Ended> run_together(
    const std::vector<std::vector<std::string>>& commands,
    const std::function<void(size_t number, std::string_view line)>& on_line);

}  // namespace qspec::lua
