#pragma once

#include <string>

#include "bindings/host/installation.h"
#include "engine/kernels/table.h"

namespace qspec::lua {

// Begins to map libqspec_cuda.so and to make the context of GPU `number` on a thread of its own,
// and LibTorch with its CUDA side on another: together they take half a second, and nothing needs
// them while headers are read. Without libqspec_cuda.so nothing happens. What goes wrong is told by
// whoever needs them.
void begin_gpu(const Installation& installation, int number);

// Why the GPU is out of reach, as far as files show: no libqspec_cuda.so, or a LibTorch without its
// CUDA side. Empty otherwise.
std::string gpu_obstacle(const Installation& installation);

bool has_gpu_library(const Installation& installation);

// The kernels, mapped; null when libqspec_cuda.so is not beside the program.
const cuda::KernelTable* gpu_table(const Installation& installation);

// GPUs that the driver shows. Throws Error(kDevice) when it shows none, or is too old.
int gpu_count(const Installation& installation);

// What the driver says of the GPU; begins its context where begin_gpu did not. Throws
// Error(kDevice).
cuda::DeviceFacts gpu_facts(const Installation& installation, int number);

}  // namespace qspec::lua
