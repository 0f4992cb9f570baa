#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "engine/tensor/packed.h"

namespace qspec {

// A weight [out, in] whose blocks of rows and columns are sums of vectors, one of each codebook:
//
//   block = scale * sum over the books of codebooks[book][code mod vectors]
//
// The sum is taken in fp32, book after book; it and the product are rounded to the codebooks'
// dtype.
struct VectorSums {
  at::Tensor codes;      // integers of 8, 16 or 32 bits [out / rows, in / columns, books]
  at::Tensor codebooks;  // float32, float16 or bfloat16 [books, vectors, rows, columns], where the
                         // vectors are a power of two
  at::Tensor scales;  // real numbers [out / rows], in the dtype of the codebooks when they are used
  std::vector<int64_t> shape;
};

// It is compared in blocks of 64, as a dense weight. Codes are counted over all books.
class SummedVectors final : public PackedWeight {
 public:
  // Throws Error(kCheckpoint) when the parts do not fit each other.
  explicit SummedVectors(VectorSums weight);

  const std::vector<int64_t>& shape() const override { return weight_.shape; }
  int64_t bytes() const override;
  at::Tensor decode(at::ScalarType dtype) const override;
  Comparison compare(const at::Tensor& baseline) const override;
  CodeStatistics statistics() const override;

 private:
  // All in the dtype of the codebooks.
  at::Tensor decoded() const;

  VectorSums weight_;
};

}  // namespace qspec
