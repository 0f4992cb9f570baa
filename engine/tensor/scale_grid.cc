#include "engine/tensor/scale_grid.h"

#include <algorithm>
#include <string>

#include "engine/core/error.h"
#include "engine/tensor/coded.h"
#include "engine/tensor/parts.h"

namespace qspec {
namespace {

ScaleGrid grid_of(const Coded& weight, int64_t rows, int64_t period) {
  ScaleGrid grid;
  grid.period = std::max<int64_t>(1, period);
  grid.groups_per_period = ceil_div(period, weight.block_rows);
  grid.block_rows = weight.block_rows;
  grid.row_groups = rows == 0 ? 0 : rows / grid.period * grid.groups_per_period;
  grid.column_groups = ceil_div(weight.shape.back(), weight.block_columns);
  return grid;
}

// Whether the scales are those of `grid`, whose column groups are as many as there are where the
// columns name their own.
bool has_scales_of(ScaleGrid& grid, const Coded& weight) {
  const int64_t found = weight.scales.numel();
  if (grid.row_groups == 0) return found == 0;
  if (found % grid.row_groups != 0) return false;
  const int64_t per_row = found / grid.row_groups;
  if (weight.groups.defined()) grid.column_groups = per_row;
  return per_row == grid.column_groups;
}

}  // namespace

ScaleGrid scale_grid(const Coded& weight) {
  const int64_t rows = row_count(weight);
  ScaleGrid each_matrix = grid_of(weight, rows, weight.shape[weight.shape.size() - 2]);
  if (has_scales_of(each_matrix, weight)) return each_matrix;
  ScaleGrid all_rows = grid_of(weight, rows, rows);
  if (has_scales_of(all_rows, weight)) return all_rows;
  const std::string columns =
      weight.groups.defined() ? "the column groups" : std::to_string(each_matrix.column_groups);
  throw Error(ErrorKind::kCheckpoint, "scales has " + std::to_string(weight.scales.numel()) +
                                          " elements, wanted " +
                                          std::to_string(each_matrix.row_groups) + " x " + columns)
      .hint("one for each group of " + std::to_string(weight.block_rows) + " rows by " +
            std::to_string(weight.block_columns) + " columns");
}

}  // namespace qspec
