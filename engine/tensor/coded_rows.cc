#include "engine/tensor/coded_rows.h"

#include <cstring>

#include "engine/tensor/code_values.h"
#include "engine/tensor/parallel.h"

namespace qspec {
namespace {

constexpr size_t kPermuted = 16;
constexpr size_t kMostBytes = 256;

Rounding rounding(std::optional<at::ScalarType> step) {
  if (!step) return Rounding::kNone;
  return *step == at::kHalf ? Rounding::kHalf : Rounding::kBfloat16;
}

void round(Rounding rounding, std::vector<float>& x) {
  if (rounding == Rounding::kNone) return;
  std::vector<uint16_t> halves(x.size());
  if (rounding == Rounding::kHalf) {
    kernels().float_to_half(x.data(), x.size(), halves.data());
    kernels().half_to_float(halves.data(), x.size(), x.data());
  } else {
    kernels().float_to_bfloat16(x.data(), x.size(), halves.data());
    kernels().bfloat16_to_float(halves.data(), x.size(), x.data());
  }
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
  if (!weight.planes.empty()) {
    planes_.emplace(weight);
    common_.bits = Planes::kBits;
  }
  common_.rounding = rounding(weight.step);
  common_.column_groups = static_cast<size_t>(grid_.column_groups);
  common_.block = static_cast<size_t>(weight.block_columns);
  list_groups();
  if (weight_.zeros.defined() && weight_.zeros.numel() > 0 && all_equal(weight_.zeros)) {
    fold_zeros();
  }
  const RecognisedValues recognised = recognise(values_.data(), static_cast<int>(weight.bits));
  common_.values = values_.data();
  common_.kind = recognised.kind;
  common_.base = recognised.base;
}

// One zero for all is taken from the values beforehand.
void CodedRows::fold_zeros() {
  const float zero = *weight_.zeros.const_data_ptr<float>();
  for (float& value : values_) value -= zero;
  round(common_.rounding, values_);
  if (!weight_.shifts.defined()) common_.rounding = Rounding::kNone;  // nothing is left to round
  weight_.zeros.reset();
}

// The groups of columns that name theirs, and of blocks that vectors straddle.
void CodedRows::list_groups() {
  const auto columns = static_cast<size_t>(columns_);
  const bool is_listed = weight_.groups.defined();
  if (!is_listed && (common_.block % 16 == 0 || common_.column_groups <= 1)) return;
  groups_.resize(columns + CodedRow::kPadding);
  for (size_t c = 0; c < columns; ++c) {
    groups_[c] = is_listed ? weight_.groups.const_data_ptr<int32_t>()[c]
                           : static_cast<int32_t>(c / common_.block);
  }
  common_.groups = groups_.data();
  if (common_.column_groups > kMostBytes) return;
  group_bytes_.assign(groups_.begin(), groups_.end());
  common_.group_bytes = group_bytes_.data();
}

CodedRow CodedRows::row(int64_t number) const {
  CodedRow row = common_;
  const int64_t scales = grid_.row_group(number) * grid_.column_groups;
  if (!planes_) row.codes += number * row_bytes_;
  row.scales = data_of(weight_.scales) + scales;
  row.zeros = moved(data_of(weight_.zeros), scales);
  row.shifts = moved(data_of(weight_.shifts), scales);
  return row;
}

std::unique_ptr<uint8_t[]> CodedRows::room_for_codes() const {
  if (!planes_) return nullptr;
  return std::make_unique_for_overwrite<uint8_t[]>(static_cast<size_t>(planes_->row_bytes()));
}

void CodedRows::gather(int64_t number, int64_t first, int64_t count, uint8_t* codes,
                       CodedRow& row) const {
  planes_->gather(number * columns_ + first, count, first, codes);
  row.codes = codes;
  row.end = codes + planes_->row_bytes();
}

void CodedRows::for_ranges(int64_t count, int64_t grain,
                           const std::function<void(int64_t, int64_t)>& body) const {
  if (planes_) return planes_->for_ranges(count, grain, body);
  parallel_ranges(count, grain, body);
}

}  // namespace qspec
