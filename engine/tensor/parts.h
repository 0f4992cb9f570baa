#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

namespace qspec {

inline int64_t ceil_div(int64_t a, int64_t b) {
  return a / b + (a % b != 0 ? 1 : 0);
}

// `part` contiguous, when it has this dtype and element count; else throws Error(kCheckpoint) that
// calls it `name`.
at::Tensor checked_part(const at::Tensor& part, const char* name, at::ScalarType dtype,
                        int64_t count);

}  // namespace qspec
