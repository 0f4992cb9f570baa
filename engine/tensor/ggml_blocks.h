#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "engine/core/dtype.h"
#include "engine/tensor/packed.h"

namespace qspec {

// A tensor in ggml's blocks, as GGUF files store it: rows are whole blocks, one after the other.
class GgmlBlocks final : public PackedWeight {
 public:
  // `blocks`: bytes. Throws Error(kCheckpoint) when they are not as many as dtype and shape give,
  // Error(kSpec) when the dtype is none of ggml's blocks.
  GgmlBlocks(const at::Tensor& blocks, Dtype dtype, std::vector<int64_t> shape);

  const std::vector<int64_t>& shape() const override { return shape_; }
  int64_t bytes() const override { return static_cast<int64_t>(blocks_.nbytes()); }
  at::Tensor decode(at::ScalarType dtype) const override;
  Comparison compare(const at::Tensor& baseline) const override;
  // Codes are not counted: what one stands for differs from block to block.
  CodeStatistics statistics() const override;
  // The scales that are floats in the file, block by block: [count].
  at::Tensor scales() const;

 private:
  FloatSource source() const;

  at::Tensor blocks_;
  Dtype dtype_;
  std::vector<int64_t> shape_;
};

}  // namespace qspec
