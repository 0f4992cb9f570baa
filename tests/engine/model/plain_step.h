#pragma once

#include "engine/kernels/step/table.h"

namespace qspec::cuda {

// The launches of a step as plain loops over host memory, done at once: what a step is planned
// against where there is no GPU, and what the kernels are held against where there is one.
const StepTable& plain_step_table();

}  // namespace qspec::cuda
