#include "bindings/host/signals.h"

#include <unistd.h>

#include <csignal>

namespace qspec::lua {
namespace {

constexpr int kExitInterrupted = 130;

volatile std::sig_atomic_t held = 0;
volatile std::sig_atomic_t pending = 0;

// The line that an interrupted progress line has begun is ended, for the shell's prompt.
[[noreturn]] void leave() {
  if (isatty(STDERR_FILENO) != 0) {
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, "\n", 1);
  }
  _exit(kExitInterrupted);
}

void on_interrupt(int) {
  if (held == 0) leave();
  pending = 1;
}

}  // namespace

void handle_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  struct sigaction action = {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
}

HeldInterrupts::HeldInterrupts() {
  held = held + 1;
}

HeldInterrupts::~HeldInterrupts() {
  held = held - 1;
  if (held == 0 && pending != 0) leave();
}

}  // namespace qspec::lua
