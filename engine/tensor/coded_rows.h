#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/tensor/coded.h"
#include "engine/tensor/group_numbers.h"
#include "engine/tensor/kernels.h"
#include "engine/tensor/scale_grid.h"

namespace qspec {

// The rows of a checked Coded, as the kernels take them; without their codes where these lie down
// columns.
class CodedRows {
 public:
  explicit CodedRows(const Coded& weight);

  // Room for what the rows of one stretch of elements need.
  struct Room {
    GroupNumbers::Room scales, zeros, shifts;
  };

  // Of which columns first..first+count-1 are decoded before `room` is used again.
  CodedRow row(int64_t number, int64_t first, int64_t count, Room& room) const;

  const Kernels& kernels() const { return qspec::kernels(); }

  // Calls body(row, first column, columns) for the parts of elements begin..begin+count-1, a row
  // each.
  template <class Body>
  void for_parts(int64_t begin, int64_t count, const Body& body) const {
    int64_t number = begin / columns_, first = begin % columns_;
    Room room;
    for (; count > 0; ++number, first = 0) {
      const int64_t length = std::min(count, columns_ - first);
      body(row(number, first, length, room), first, length);
      count -= length;
    }
  }

 private:
  void find_codes();
  void fold_zeros();
  void list_groups();

  Coded weight_;
  ScaleGrid grid_;
  int64_t columns_;
  int64_t row_bytes_ = 0;
  GroupNumbers scales_, zeros_, shifts_;
  std::vector<float> values_;    // once or over again, 16 at least
  std::vector<int32_t> groups_;  // of the columns that name theirs, padded
  std::vector<uint8_t> group_bytes_;
  CodedRow common_{};  // what all rows share
};

}  // namespace qspec
