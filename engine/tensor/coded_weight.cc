#include "engine/tensor/coded_weight.h"

#include <algorithm>
#include <cmath>

#include "engine/tensor/code_values.h"
#include "engine/tensor/group_numbers.h"
#include "engine/tensor/statistics.h"

namespace qspec {
namespace {

int64_t bytes_of(const at::Tensor& tensor) {
  return tensor.defined() ? static_cast<int64_t>(tensor.nbytes()) : 0;
}

// The codes in the order of the numbers that they stand for.
CodeStatistics in_order(std::vector<int64_t> histogram, const Coded& weight) {
  const RecognisedValues values =
      recognise(weight.values.const_data_ptr<float>(), static_cast<int>(weight.bits));
  if (values.kind == CodeValues::kSigned) {
    const auto half = static_cast<int64_t>(histogram.size() / 2);
    std::rotate(histogram.begin(), histogram.begin() + half, histogram.end());
    return {.lowest_code = -half, .histogram = std::move(histogram)};
  }
  const bool whole = values.kind == CodeValues::kOffset && std::floor(values.base) == values.base &&
                     std::fabs(values.base) <= 256;
  return {.lowest_code = whole ? static_cast<int64_t>(values.base) : 0,
          .histogram = std::move(histogram)};
}

}  // namespace

int64_t CodedWeight::bytes() const {
  int64_t bytes = weight_.columns ? bytes_of(weight_.columns->words()) : 0;
  for (const at::Tensor* part :
       {&weight_.codes, &weight_.values, &weight_.scales, &weight_.scale_values, &weight_.zeros,
        &weight_.shifts, &weight_.groups}) {
    bytes += bytes_of(*part);
  }
  return bytes;
}

Comparison CodedWeight::compare(const at::Tensor& baseline) const {
  check_same_shape(weight_.shape, baseline);
  const int64_t columns = std::max<int64_t>(1, weight_.shape.back());
  const bool divides = columns % weight_.block_columns == 0;
  return qspec::compare(float_source(weight_), float_source(baseline), baseline.numel(),
                        divides ? weight_.block_columns : columns);
}

CodeStatistics CodedWeight::statistics() const {
  CodeStatistics codes = in_order(code_histogram(weight_), weight_);
  const GroupNumbers numbers(weight_.scales, weight_.scale_values);
  const Statistics scales = qspec::statistics(numbers.floats());
  codes.scales = scales.count;
  codes.zero_scales = scales.zeros;
  codes.nonfinite_scales = scales.nan + scales.inf;
  return codes;
}

}  // namespace qspec
