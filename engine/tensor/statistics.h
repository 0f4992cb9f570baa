#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace qspec {

// Of the values of one tensor. min to rms are of the finite values alone; NaN when there is none.
struct Statistics {
  int64_t count = 0;
  int64_t nan = 0;
  int64_t inf = 0;
  int64_t zeros = 0;
  double min = 0;
  double max = 0;
  double mean = 0;
  double absmax = 0;
  double rms = 0;  // sqrt(sum x^2 / finite values)
};

// One pass over a tensor of any real dtype. Sums are fp32 over at most 4096 elements, then double
// (wider dtypes: double); the result does not depend on the number of threads.
Statistics statistics(const at::Tensor& tensor);

}  // namespace qspec
