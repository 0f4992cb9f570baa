#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/tensor/coded.h"
#include "engine/tensor/kernels.h"
#include "engine/tensor/scale_grid.h"

namespace qspec {

// The rows of a checked Coded, as the kernels take them.
class CodedRows {
 public:
  explicit CodedRows(const Coded& weight);

  CodedRow row(int64_t number) const;

  const Kernels& kernels() const { return qspec::kernels(); }

  // Calls body(row, first column, columns) for the parts of elements begin..begin+count-1, a row
  // each.
  template <class Body>
  void for_parts(int64_t begin, int64_t count, const Body& body) const {
    int64_t number = begin / columns_, first = begin % columns_;
    for (; count > 0; ++number, first = 0) {
      const int64_t length = std::min(count, columns_ - first);
      body(row(number), first, length);
      count -= length;
    }
  }

 private:
  void fold_zeros();
  void list_groups();

  Coded weight_;
  ScaleGrid grid_;
  int64_t columns_;
  int64_t row_bytes_ = 0;
  std::vector<float> values_;    // once or over again, 16 at least
  std::vector<int32_t> groups_;  // of the columns that name theirs, padded
  std::vector<uint8_t> group_bytes_;
  CodedRow common_{};  // what all rows share
};

}  // namespace qspec
