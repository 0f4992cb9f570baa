#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/tensor/coded.h"
#include "engine/tensor/kernels.h"
#include "engine/tensor/planes.h"
#include "engine/tensor/scale_grid.h"

namespace qspec {

// The rows of a checked Coded, as the kernels take them.
class CodedRows {
 public:
  explicit CodedRows(const Coded& weight);

  // Without its codes where those lie in planes.
  CodedRow row(int64_t number) const;

  // The bits of a code in the rows of for_parts: those of planes come as nibbles.
  int row_bits() const { return common_.bits; }

  const Kernels& kernels() const { return qspec::kernels(); }

  // Calls body(row, first column, columns) for the parts of elements begin..begin+count-1, a row
  // each.
  template <class Body>
  void for_parts(int64_t begin, int64_t count, const Body& body) const {
    int64_t number = begin / columns_, first = begin % columns_;
    const std::unique_ptr<uint8_t[]> gathered = room_for_codes();
    for (; count > 0; ++number, first = 0) {
      const int64_t length = std::min(count, columns_ - first);
      CodedRow part = row(number);
      if (planes_) gather(number, first, length, gathered.get(), part);
      body(part, first, length);
      count -= length;
    }
  }

  // Calls body(begin, end) over disjoint parts of 0..count-1 elements on LibTorch's threads, a
  // multiple of `grain` each but the last; of planes, those together that lie in the same words.
  void for_ranges(int64_t count, int64_t grain,
                  const std::function<void(int64_t begin, int64_t end)>& body) const;

 private:
  void fold_zeros();
  void list_groups();
  std::unique_ptr<uint8_t[]> room_for_codes() const;
  void gather(int64_t number, int64_t first, int64_t count, uint8_t* codes, CodedRow& row) const;

  Coded weight_;
  ScaleGrid grid_;
  std::optional<Planes> planes_;
  int64_t columns_;
  int64_t row_bytes_ = 0;
  std::vector<float> values_;    // once or over again, 16 at least
  std::vector<int32_t> groups_;  // of the columns that name theirs, padded
  std::vector<uint8_t> group_bytes_;
  CodedRow common_{};  // what all rows share
};

}  // namespace qspec
