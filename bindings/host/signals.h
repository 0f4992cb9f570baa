#pragma once

namespace qspec::lua {

// A closed pipe becomes a failed write; an interrupt ends the process with 130.
void handle_signals();

// While one lives, an interrupt waits for it: around what must not be left half-done.
class HeldInterrupts {
 public:
  HeldInterrupts();
  ~HeldInterrupts();
  HeldInterrupts(const HeldInterrupts&) = delete;
  HeldInterrupts& operator=(const HeldInterrupts&) = delete;
};

}  // namespace qspec::lua
