#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/tensor/coded.h"
#include "engine/tensor/packed.h"

namespace qspec {

// A Coded as a packed weight. It is compared in blocks of block_columns, or of rows where those do
// not divide the columns. Codes are counted from what they stand for when that is whole numbers in
// order: int4 from -8.
class CodedWeight final : public PackedWeight {
 public:
  // Throws Error(kCheckpoint) when the parts do not fit each other.
  explicit CodedWeight(Coded weight) : weight_(checked(std::move(weight))) {}

  const std::vector<int64_t>& shape() const override { return weight_.shape; }
  int64_t bytes() const override;
  at::Tensor decode(at::ScalarType dtype) const override { return dequantize(weight_, dtype); }
  Comparison compare(const at::Tensor& baseline) const override;
  CodeStatistics statistics() const override;

 private:
  Coded weight_;
};

}  // namespace qspec
