#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace qspec {

// A weight [out, in] whose columns are vectors of a codebook, a block of rows each, or sums of
// those and of residual ones:
//
//   column = (vectors[group][index] + residuals[group][residual index]) * scale + shift
//
// in fp32, each operation rounded to the dtype of the vectors. Rows beyond the last one are
// dropped.
struct VectorColumns {
  at::Tensor indices;  // integers of 32 bits [groups, blocks, words]: a row is a stream of an
                       // index and a residual one for each column of the group, lowest first
  int64_t bits = 0;    // of an index, 1 to 24
  int64_t residual_bits = 0;  // 0 where there are no residuals, up to 24
  at::Tensor vectors;         // float32, float16 or bfloat16 [groups, 2^bits, rows of a block]
  at::Tensor residuals;       // the same of 2^residual_bits, or undefined
  at::Tensor leading;  // the same dtype [out, columns], before those of all groups; or undefined
  at::Tensor order;    // integers [in]: which of these columns each one is; or undefined
  at::Tensor scales;   // the same dtype [in], or undefined
  at::Tensor shifts;   // the same, together with scales
  std::vector<int64_t> shape;
};

// The decoded weight in the dtype of its vectors. Throws Error(kCheckpoint) when the parts do not
// fit each other.
at::Tensor decoded_columns(const VectorColumns& weight);

}  // namespace qspec
