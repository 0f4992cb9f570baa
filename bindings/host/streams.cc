#include "bindings/host/streams.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "engine/core/error.h"
#include "engine/core/system_error.h"

namespace qspec::lua {
namespace {

constexpr int kDefaultColumns = 80;

// A descriptor that another process made non-blocking is waited for.
void wait_until_writable(int descriptor) {
  pollfd waited{descriptor, POLLOUT, 0};
  poll(&waited, 1, -1);
}

}  // namespace

void write_stream(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EAGAIN) {
      wait_until_writable(descriptor);
    } else if (errno == EPIPE) {
      return;  // nobody reads on (`qspec inspect ... | head`); a run goes on to its reports
    } else if (errno != EINTR) {
      throw system_error("write",
                         descriptor == STDOUT_FILENO ? "standard output" : "standard error", errno);
    }
  }
}

std::optional<std::string> read_line() {
  constexpr size_t kMostBytes = 4096;
  std::string line;
  char next = 0;
  while (true) {
    const ssize_t count = read(STDIN_FILENO, &next, 1);
    if (count < 0) throw system_error("read", "standard input", errno);
    if (count == 0 && line.empty()) return std::nullopt;
    if (count == 0 || next == '\n') return line;
    if (line.size() < kMostBytes) line.push_back(next);
  }
}

int terminal_columns(int descriptor) {
  if (const char* named = std::getenv("COLUMNS"); named != nullptr) {
    const int columns = std::atoi(named);
    if (columns > 0) return columns;
  }
  winsize size = {};
  const bool known = ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kDefaultColumns;
}

}  // namespace qspec::lua
