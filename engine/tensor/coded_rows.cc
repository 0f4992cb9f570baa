#include "engine/tensor/coded_rows.h"

#include <cstring>

#include "engine/tensor/code_values.h"

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

}  // namespace

CodedRows::CodedRows(const Coded& weight)
    : weight_(weight),
      grid_(scale_grid(weight)),
      columns_(std::max<int64_t>(1, weight.shape.back())),
      scales_(weight.scales, weight.scale_values),
      zeros_(weight.zeros),
      shifts_(weight.shifts) {
  const float* values = weight.values.const_data_ptr<float>();
  for (size_t i = 0; i < std::max(kPermuted, size_t{1} << weight.bits); ++i) {
    values_.push_back(values[i % (size_t{1} << weight.bits)]);
  }
  if (weight_.codes.defined()) find_codes();
  common_.bits = static_cast<int>(weight.bits);
  common_.rounding = rounding(weight.step);
  common_.column_groups = static_cast<size_t>(grid_.column_groups);
  common_.block = static_cast<size_t>(weight.block_columns);
  list_groups();
  if (zeros_.all_equal()) fold_zeros();
  if (!zeros_.exist()) round(common_.rounding, values_);
  const RecognisedValues recognised = recognise(values_.data(), common_.bits);
  common_.values = values_.data();
  common_.kind = recognised.kind;
  common_.base = recognised.base;
}

void CodedRows::find_codes() {
  const int64_t rows = row_count(weight_);
  const auto bytes = static_cast<int64_t>(weight_.codes.nbytes());
  if (rows > 0) row_bytes_ = bytes / rows;
  common_.codes = static_cast<const uint8_t*>(weight_.codes.const_data_ptr());
  common_.end = common_.codes + bytes;
}

// One zero for all is taken from the values beforehand.
void CodedRows::fold_zeros() {
  GroupNumbers::Room room;
  const float zero = *zeros_.row(0, 1, 0, 1, room);
  for (float& value : values_) value -= zero;
  round(common_.rounding, values_);
  if (!shifts_.exist()) common_.rounding = Rounding::kNone;  // nothing is left to round
  zeros_ = GroupNumbers();
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

CodedRow CodedRows::row(int64_t number, int64_t first, int64_t count, Room& room) const {
  CodedRow row = common_;
  row.codes += number * row_bytes_;
  const int64_t all = grid_.column_groups, begin = grid_.row_group(number) * all;
  // Columns that name their groups may name any; of few, all are put into tables.
  const bool is_any = weight_.groups.defined() || common_.group_bytes != nullptr;
  const int64_t block = weight_.block_columns, from = is_any ? 0 : first / block;
  const int64_t groups = is_any ? all : (first + count - 1) / block + 1 - from;
  row.scales = scales_.row(begin, all, from, groups, room.scales);
  row.zeros = zeros_.row(begin, all, from, groups, room.zeros);
  row.shifts = shifts_.row(begin, all, from, groups, room.shifts);
  return row;
}

}  // namespace qspec
