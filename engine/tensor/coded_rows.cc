#include "engine/tensor/coded_rows.h"

#include <array>
#include <cstring>

#include "engine/tensor/code_values.h"

namespace qspec {
namespace {

using Round = void (*)(float* x, size_t count);

constexpr size_t kPermuted = 16;

template <auto narrow, auto widen>
void round_through(float* x, size_t count) {
  std::array<uint16_t, kPermuted> halves;
  for (size_t i = 0; i < count; i += halves.size()) {
    const size_t part = std::min(halves.size(), count - i);
    (kernels().*narrow)(x + i, part, halves.data());
    (kernels().*widen)(halves.data(), part, x + i);
  }
}

Round rounding(std::optional<at::ScalarType> step) {
  if (!step) return nullptr;
  return *step == at::kHalf
             ? round_through<&Kernels::float_to_half, &Kernels::half_to_float>
             : round_through<&Kernels::float_to_bfloat16, &Kernels::bfloat16_to_float>;
}

bool all_equal(const at::Tensor& floats) {
  const auto* data = floats.const_data_ptr<float>();
  return std::all_of(data, data + floats.numel(),
                     [data](float x) { return std::memcmp(&x, data, sizeof x) == 0; });
}

const float* data_of(const at::Tensor& floats) {
  return floats.defined() ? floats.const_data_ptr<float>() : nullptr;
}

const float* moved(const float* data, int64_t by) {
  return data != nullptr ? data + by : nullptr;
}

}  // namespace

CodedRows::CodedRows(const Coded& weight)
    : weight_(weight),
      grid_(scale_grid(weight)),
      columns_(std::max<int64_t>(1, weight.shape.back())) {
  const int64_t rows = row_count(weight);
  const auto bytes = static_cast<int64_t>(weight.codes.nbytes());
  if (rows > 0) row_bytes_ = bytes / rows;
  const float* values = weight.values.const_data_ptr<float>();
  for (size_t i = 0; i < std::max(kPermuted, size_t{1} << weight.bits); ++i) {
    values_.push_back(values[i % (size_t{1} << weight.bits)]);
  }
  common_.codes = static_cast<const uint8_t*>(weight_.codes.const_data_ptr());
  common_.end = common_.codes + bytes;
  common_.bits = static_cast<int>(weight.bits);
  common_.round = rounding(weight.step);
  common_.groups = weight_.groups.defined() ? weight_.groups.const_data_ptr<int32_t>() : nullptr;
  common_.column_groups = static_cast<size_t>(grid_.column_groups);
  common_.block = static_cast<size_t>(weight.block_columns);
  if (weight_.zeros.defined() && weight_.zeros.numel() > 0 && all_equal(weight_.zeros)) {
    fold_zeros();
  }
  const RecognisedValues recognised = recognise(values_.data(), common_.bits);
  common_.values = values_.data();
  common_.kind = recognised.kind;
  common_.base = recognised.base;
}

// One zero for all is taken from the values beforehand.
void CodedRows::fold_zeros() {
  const float zero = *weight_.zeros.const_data_ptr<float>();
  for (float& value : values_) value -= zero;
  if (common_.round != nullptr) common_.round(values_.data(), values_.size());
  if (!weight_.shifts.defined()) common_.round = nullptr;  // nothing is left to round
  weight_.zeros.reset();
}

CodedRow CodedRows::row(int64_t number) const {
  CodedRow row = common_;
  const int64_t scales = grid_.row_group(number) * grid_.column_groups;
  row.codes += number * row_bytes_;
  row.scales = data_of(weight_.scales) + scales;
  row.zeros = moved(data_of(weight_.zeros), scales);
  row.shifts = moved(data_of(weight_.shifts), scales);
  return row;
}

}  // namespace qspec
