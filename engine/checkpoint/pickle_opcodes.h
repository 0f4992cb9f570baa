#pragma once

#include "engine/checkpoint/pickle_machine.h"

namespace qspec {

// Runs the opcode `code`, which the machine has just taken, or refuses it by name.
void run_pickle_opcode(PickleMachine& machine, char code);

}  // namespace qspec
