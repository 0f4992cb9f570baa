#pragma once

#include <cstdint>

namespace qspec {

struct Coded;

// Which scale belongs to which row and column of a Coded.
struct ScaleGrid {
  int64_t period = 1;  // rows after which the row groups begin anew
  int64_t groups_per_period = 0;
  int64_t block_rows = 1;
  int64_t row_groups = 0;  // of all rows
  int64_t column_groups = 0;

  int64_t row_group(int64_t row) const {
    return row / period * groups_per_period + row % period / block_rows;
  }
};

// Of a Coded with sound numbers. Throws Error(kCheckpoint) when its scales are not as many as a
// grid has.
ScaleGrid scale_grid(const Coded& weight);

}  // namespace qspec
