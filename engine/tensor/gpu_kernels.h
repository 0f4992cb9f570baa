#pragma once

#include "engine/kernels/table.h"

namespace qspec {

// The kernels of libqspec_cuda.so; null until find_gpu_kernels() has met it among the libraries
// that are mapped, which is before the first tensor on a GPU.
const cuda::KernelTable* gpu_kernels();
void find_gpu_kernels();

}  // namespace qspec
