#pragma once

#include "tests/device/harness.h"

namespace qspec::device_test {

// Times a recorded step of LLaMA 7B in NF4 at batch 1, 8 and 32, and what is left of it without the
// launches of one kind.
void time_steps(Report& report);

}  // namespace qspec::device_test
