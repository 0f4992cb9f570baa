#include "engine/tensor/packed.h"

#include <algorithm>
#include <utility>

#include "engine/tensor/statistics.h"

namespace qspec {
namespace {

CodeStatistics with_scales(CodeStatistics codes, const at::Tensor& scales) {
  const Statistics values = statistics(scales);
  codes.scales = values.count;
  codes.zero_scales = values.zeros;
  codes.nonfinite_scales = values.nan + values.inf;
  return codes;
}

int64_t bytes_of(const at::Tensor& tensor) {
  return static_cast<int64_t>(tensor.nbytes());
}

}  // namespace

int64_t CodebookBlockwise::bytes() const {
  return bytes_of(weight_.packed) + bytes_of(weight_.codebook) + bytes_of(weight_.absmax);
}

Comparison CodebookBlockwise::compare(const at::Tensor& baseline) const {
  check_same_shape(weight_.shape, baseline);
  return qspec::compare(float_source(weight_), float_source(baseline), baseline.numel(),
                        weight_.block_size);
}

CodeStatistics CodebookBlockwise::statistics() const {
  return with_scales({.histogram = code_histogram(weight_)}, weight_.absmax);
}

RowwiseInt8::RowwiseInt8(Rowwise8 weight)
    : weight_(checked(std::move(weight))), shape_(weight_.codes.sizes().vec()) {}

int64_t RowwiseInt8::bytes() const {
  return bytes_of(weight_.codes) + bytes_of(weight_.absmax);
}

Comparison RowwiseInt8::compare(const at::Tensor& baseline) const {
  check_same_shape(shape_, baseline);
  return qspec::compare(float_source(weight_), float_source(baseline), baseline.numel(),
                        std::max<int64_t>(1, shape_[1]));
}

CodeStatistics RowwiseInt8::statistics() const {
  CodeStatistics codes{.lowest_code = -128, .histogram = std::vector<int64_t>(256)};
  const auto* data = weight_.codes.const_data_ptr<int8_t>();
  for (int64_t i = 0; i < weight_.codes.numel(); ++i) {
    ++codes.histogram[static_cast<size_t>(data[i] + 128)];
  }
  return with_scales(std::move(codes), weight_.absmax);
}

}  // namespace qspec
