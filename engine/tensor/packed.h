#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "engine/tensor/codebook4.h"
#include "engine/tensor/compare.h"
#include "engine/tensor/rowwise8.h"

namespace qspec {

// How the codes of a packed weight are spread.
struct CodeStatistics {
  int64_t lowest_code = 0;
  std::vector<int64_t> histogram;  // histogram[i]: occurrences of code lowest_code + i
  int64_t scales = 0;
  int64_t zero_scales = 0;
  int64_t nonfinite_scales = 0;
};

// A quantized weight with everything that decoding it takes. Immutable, safe to use from several
// threads.
class PackedWeight {
 public:
  virtual ~PackedWeight() = default;

  // Of the decoded weight.
  virtual const std::vector<int64_t>& shape() const = 0;
  // Codes and side tensors as they are held here.
  virtual int64_t bytes() const = 0;
  // The values in fp32 cast once to `dtype`: float32, float16 or bfloat16.
  virtual at::Tensor decode(at::ScalarType dtype) const = 0;
  // The decoded fp32 values against `baseline` of the same shape, in this layout's own blocks; no
  // decoded tensor is made.
  virtual Comparison compare(const at::Tensor& baseline) const = 0;
  virtual CodeStatistics statistics() const = 0;

  // Its parts, where it is 4-bit codes with a codebook, on whichever device they are; null
  // otherwise.
  virtual const Codebook4* codes4() const { return nullptr; }
  // The same weight with parts that were copied elsewhere; null where it has none.
  // Overrides take it over. NOLINTNEXTLINE(performance-unnecessary-value-param)
  virtual std::shared_ptr<const PackedWeight> with_codes4(Codebook4 /*moved*/) const {
    return nullptr;
  }
};

class CodebookBlockwise final : public PackedWeight {
 public:
  // Throws Error(kCheckpoint) when the parts do not fit each other.
  explicit CodebookBlockwise(Codebook4 weight) : weight_(checked(std::move(weight))) {}

  const Codebook4& codes() const { return weight_; }
  const Codebook4* codes4() const override { return &weight_; }
  std::shared_ptr<const PackedWeight> with_codes4(Codebook4 moved) const override {
    return std::make_shared<const CodebookBlockwise>(std::move(moved));
  }
  const std::vector<int64_t>& shape() const override { return weight_.shape; }
  int64_t bytes() const override;
  at::Tensor decode(at::ScalarType dtype) const override { return dequantize(weight_, dtype); }
  Comparison compare(const at::Tensor& baseline) const override;
  CodeStatistics statistics() const override;

 private:
  Codebook4 weight_;
};

class RowwiseInt8 final : public PackedWeight {
 public:
  // Throws Error(kCheckpoint) when the parts do not fit each other.
  explicit RowwiseInt8(Rowwise8 weight);

  const std::vector<int64_t>& shape() const override { return shape_; }
  int64_t bytes() const override;
  at::Tensor decode(at::ScalarType dtype) const override { return dequantize(weight_, dtype); }
  Comparison compare(const at::Tensor& baseline) const override;
  CodeStatistics statistics() const override;

 private:
  Rowwise8 weight_;
  std::vector<int64_t> shape_;
};

}  // namespace qspec
