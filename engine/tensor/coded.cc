#include "engine/tensor/coded.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "engine/core/error.h"
#include "engine/tensor/code_counter.h"
#include "engine/tensor/coded_rows.h"
#include "engine/tensor/decode_rows.h"
#include "engine/tensor/dtypes.h"
#include "engine/tensor/parallel.h"
#include "engine/tensor/parts.h"
#include "engine/tensor/planes.h"
#include "engine/tensor/sizes.h"

namespace qspec {
namespace {

constexpr int64_t kGrain = 1 << 16;

// They are int32 to the kernels.
constexpr int64_t kMostGroups = std::numeric_limits<int32_t>::max();

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorKind::kCheckpoint, message);
}

void check_numbers(const Coded& weight) {
  if (weight.bits < 1 || weight.bits > 8) {
    refuse("codes of " + std::to_string(weight.bits) + " bits, wanted 1 to 8");
  }
  if (weight.shape.size() < 2) {
    refuse("the shape has " + std::to_string(weight.shape.size()) +
           " dimensions, wanted at least 2");
  }
  element_count(weight.shape);
  if (weight.block_rows < 1 || weight.block_columns < 1) {
    refuse("groups of " + std::to_string(weight.block_rows) + " rows by " +
           std::to_string(weight.block_columns) + " columns, wanted at least 1 by 1");
  }
  const auto& step = weight.step;
  if (step && *step != at::kHalf && *step != at::kBFloat16) {
    refuse("steps are rounded to " + std::string(torch_name(*step)) +
           ", wanted float16 or bfloat16");
  }
}

// Rows are found by dividing the bytes, so they must divide evenly.
at::Tensor checked_codes(const Coded& weight) {
  if (!weight.planes.empty()) return checked_planes(weight);
  const auto bytes = static_cast<int64_t>(weight.codes.nbytes());
  const int64_t rows = row_count(weight), columns = weight.shape.back();
  if (columns > std::numeric_limits<int64_t>::max() / 8) {
    refuse(std::to_string(columns) + " columns are too many");
  }
  const int64_t wanted = ceil_div(columns * weight.bits, 8);
  if (rows == 0 || (bytes % rows == 0 && bytes / rows >= wanted)) return weight.codes.contiguous();
  throw Error(ErrorKind::kCheckpoint, "codes have " + std::to_string(bytes) + " bytes for " +
                                          std::to_string(rows) + " rows, wanted at least " +
                                          std::to_string(wanted) + " a row, as many in each")
      .hint(std::to_string(columns) + " columns of " + std::to_string(weight.bits) + " bits");
}

at::Tensor as_floats(const at::Tensor& part, const char* name, int64_t count) {
  if (part.is_complex()) refuse(std::string(name) + " are complex, wanted real numbers");
  return checked_part(part.to(at::kFloat), name, at::kFloat, count);
}

// Each names a group that has scales.
at::Tensor checked_groups(const Coded& weight, int64_t column_groups) {
  const int64_t columns = weight.shape.back();
  if (!c10::isIntegralType(weight.groups.scalar_type(), false)) {
    refuse("groups are " + std::string(torch_name(weight.groups.scalar_type())) +
           ", wanted integers");
  }
  const at::Tensor wide = checked_part(weight.groups.to(at::kLong), "groups", at::kLong, columns);
  const auto* groups = wide.const_data_ptr<int64_t>();
  for (int64_t c = 0; c < columns; ++c) {
    if (groups[c] >= 0 && groups[c] < std::min(column_groups, kMostGroups)) continue;
    refuse("column " + std::to_string(c) + " is in group " + std::to_string(groups[c]) +
           ", wanted 0 to " + std::to_string(column_groups - 1));
  }
  return wide.to(at::kInt);
}

}  // namespace

int64_t row_count(const Coded& weight) {
  return element_count(at::IntArrayRef(weight.shape).slice(0, weight.shape.size() - 1));
}

Coded checked(Coded weight) {
  check_numbers(weight);
  weight.codes = checked_codes(weight);
  weight.values = as_floats(weight.values, "values", int64_t{1} << weight.bits);
  const ScaleGrid grid = scale_grid(weight);
  const int64_t scales = grid.row_groups * grid.column_groups;
  weight.scales = as_floats(weight.scales, "scales", scales);
  if (weight.zeros.defined()) weight.zeros = as_floats(weight.zeros, "zeros", scales);
  if (weight.shifts.defined()) weight.shifts = as_floats(weight.shifts, "shifts", scales);
  if (weight.groups.defined()) {
    weight.groups = checked_groups(weight, grid.column_groups);
  }
  return weight;
}

FloatSource float_source(const Coded& weight) {
  return source_of_rows(std::make_shared<const CodedRows>(weight));
}

at::Tensor dequantize(const Coded& weight, at::ScalarType dtype) {
  return decoded_rows(CodedRows(weight), weight.shape, dtype, kGrain);
}

std::vector<int64_t> code_histogram(const Coded& weight) {
  const CodedRows rows(weight);
  std::vector<int64_t> codes(size_t{1} << rows.row_bits());
  std::mutex mutex;
  parallel_ranges(element_count(weight.shape), kGrain, [&](int64_t begin, int64_t end) {
    CodeCounter counter(rows.row_bits());
    rows.for_parts(begin, end - begin, [&](const CodedRow& row, int64_t first, int64_t length) {
      counter.add(row.codes, static_cast<size_t>(first), static_cast<size_t>(length));
    });
    const std::lock_guard lock(mutex);
    counter.add_to(codes);
  });
  codes.resize(size_t{1} << weight.bits);
  return codes;
}

}  // namespace qspec
