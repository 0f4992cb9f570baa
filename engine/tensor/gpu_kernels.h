#pragma once

#include "engine/kernels/table.h"

namespace qspec {

// The kernels of libqspec_cuda.so; null while it is not mapped. Like kernels(), they are found once
// for the process, before the first tensor on a GPU.
const cuda::KernelTable* gpu_kernels();
void use_gpu_kernels(const cuda::KernelTable* table);

}  // namespace qspec
