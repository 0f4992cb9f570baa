#pragma once

#include "engine/kernels/gemv4.h"

namespace qspec::cuda {

// gemv4 for a step: the weight has been there for long, and its first rows are fetched while the
// kernel before still runs. One row of x has a kernel of its own, where columns are multiples of 32
// and groups, without zeros, powers of two from 32 on. Its products and sums of 8 of them are in
// fp16, of an x that is scaled by a power of two to below 2^12; the rest is in fp32. The error of a
// sum is about 2^-11 of its size, where a result in bfloat16 is rounded by 2^-9.
void step_product4(const Gemv4& job, Stream stream);

}  // namespace qspec::cuda
