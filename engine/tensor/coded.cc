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
#include "engine/tensor/coded_panels.h"
#include "engine/tensor/coded_rows.h"
#include "engine/tensor/decode_rows.h"
#include "engine/tensor/dtypes.h"
#include "engine/tensor/group_numbers.h"
#include "engine/tensor/parallel.h"
#include "engine/tensor/parts.h"
#include "engine/tensor/plane_rows.h"
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
at::Tensor checked_rows(const Coded& weight, int64_t wanted) {
  const auto bytes = static_cast<int64_t>(weight.codes.nbytes());
  const int64_t rows = row_count(weight);
  if (rows == 0 || (bytes % rows == 0 && bytes / rows >= wanted)) return weight.codes.contiguous();
  throw Error(ErrorKind::kCheckpoint, "codes have " + std::to_string(bytes) + " bytes for " +
                                          std::to_string(rows) + " rows, wanted at least " +
                                          std::to_string(wanted) + " a row, as many in each")
      .hint(std::to_string(weight.shape.back()) + " columns of " + std::to_string(weight.bits) +
            " bits");
}

void check_columns(const Coded& weight, int64_t wanted) {
  const ColumnStreams& streams = *weight.columns;
  if (streams.count() >= row_count(weight) && streams.bytes() >= wanted) return;
  throw Error(ErrorKind::kCheckpoint, "codes are " + std::to_string(streams.count()) +
                                          " streams of " + std::to_string(streams.bytes()) +
                                          " bytes, wanted " + std::to_string(row_count(weight)) +
                                          " of at least " + std::to_string(wanted))
      .hint(std::to_string(weight.shape.back()) + " columns of " + std::to_string(weight.bits) +
            " bits");
}

void check_codes(Coded& weight) {
  const int64_t columns = weight.shape.back();
  if (columns > std::numeric_limits<int64_t>::max() / 8) {
    refuse(std::to_string(columns) + " columns are too many");
  }
  const int64_t wanted = ceil_div(columns * weight.bits, 8);
  if (weight.columns) return check_columns(weight, wanted);
  weight.codes = weight.planes.empty() ? checked_rows(weight, wanted) : checked_planes(weight);
}

// The same weight with its codes in rows.
Coded in_rows(Coded weight) {
  if (!weight.columns) return weight;
  weight.codes = weight.columns->in_rows().narrow(0, 0, row_count(weight));
  weight.columns.reset();
  return weight;
}

at::Tensor as_floats(const at::Tensor& part, const char* name, int64_t count) {
  return checked_numbers(part, name, count).to(at::kFloat);
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

// How often each code occurs in rows whose codes lie `row_bits` apart.
template <class Rows>
std::vector<int64_t> counted_codes(const Rows& rows, const Coded& weight, int row_bits) {
  std::vector<int64_t> codes(size_t{1} << row_bits);
  std::mutex mutex;
  parallel_ranges(element_count(weight.shape), kGrain, [&](int64_t begin, int64_t end) {
    CodeCounter counter(row_bits);
    rows.for_parts(begin, end - begin, [&](const CodedRow& row, int64_t first, int64_t length) {
      counter.add(row.codes, static_cast<size_t>(first), static_cast<size_t>(length));
    });
    const std::lock_guard lock(mutex);
    counter.add_to(codes);
  });
  codes.resize(size_t{1} << weight.bits);
  return codes;
}

}  // namespace

int64_t row_count(const Coded& weight) {
  return element_count(at::IntArrayRef(weight.shape).slice(0, weight.shape.size() - 1));
}

Coded checked(Coded weight) {
  check_numbers(weight);
  check_codes(weight);
  weight.values = as_floats(weight.values, "values", int64_t{1} << weight.bits);
  const ScaleGrid grid = scale_grid(weight);
  const int64_t scales = grid.row_groups * grid.column_groups;
  if (weight.scale_values.defined()) {
    weight.scale_values = as_floats(weight.scale_values, "scale_values", 256);
  }
  weight.scales = checked_numbers(weight.scales, "scales", scales, weight.scale_values);
  if (weight.zeros.defined()) weight.zeros = checked_numbers(weight.zeros, "zeros", scales);
  if (weight.shifts.defined()) weight.shifts = checked_numbers(weight.shifts, "shifts", scales);
  if (weight.groups.defined()) {
    weight.groups = checked_groups(weight, grid.column_groups);
  }
  return weight;
}

FloatSource float_source(const Coded& weight) {
  if (!weight.planes.empty()) return source_of_rows(std::make_shared<const PlaneRows>(weight));
  return source_of_rows(std::make_shared<const CodedRows>(in_rows(weight)));
}

at::Tensor dequantize(const Coded& weight, at::ScalarType dtype) {
  if (!weight.planes.empty()) return decoded_rows(PlaneRows(weight), weight.shape, dtype, kGrain);
  if (!weight.columns) return decoded_rows(CodedRows(weight), weight.shape, dtype, kGrain);
  const CodedPanels panels(weight);
  return decoded_rows(panels, weight.shape, dtype, panels.elements());
}

std::vector<int64_t> code_histogram(const Coded& weight) {
  if (!weight.planes.empty()) return counted_codes(PlaneRows(weight), weight, PlaneRows::kBits);
  return counted_codes(CodedRows(in_rows(weight)), weight, weight.bits);
}

}  // namespace qspec
