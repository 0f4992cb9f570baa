#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/model/frame.h"

namespace qspec {

// One instruction of a program, ready to run.
struct Instruction {
  Operation run;
  std::vector<std::string> modules;  // whose weights are bound, in the order of its attributes
  std::vector<Slot> writes;
  std::vector<Slot> last_read;  // slots that nothing reads afterwards
  bool is_tap = false;
};

// Shared by the programs that were made of one another (Program::with).
using Instructions = std::vector<std::shared_ptr<const Instruction>>;

}  // namespace qspec
