#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "engine/tensor/coded.h"
#include "engine/tensor/coded_rows.h"
#include "engine/tensor/kernels.h"
#include "engine/tensor/parts.h"
#include "engine/tensor/planes.h"

namespace qspec {

// The rows of a checked Coded whose codes lie in planes: those of a part are taken out of the
// words, decoded from the cache and forgotten.
class PlaneRows {
 public:
  explicit PlaneRows(const Coded& weight)
      : rows_(weight), planes_(weight), columns_(std::max<int64_t>(1, weight.shape.back())) {}

  static constexpr int kBits = Planes::kBits;

  const Kernels& kernels() const { return rows_.kernels(); }

  // As CodedRows::for_parts.
  template <class Body>
  void for_parts(int64_t begin, int64_t count, const Body& body) const {
    const auto bytes = static_cast<size_t>(ceil_div(columns_, 2));
    const auto codes = std::make_unique_for_overwrite<uint8_t[]>(bytes);
    CodedRows::Room room;
    int64_t number = begin / columns_, first = begin % columns_;
    for (; count > 0; ++number, first = 0) {
      const int64_t length = std::min(count, columns_ - first);
      planes_.gather(number * columns_ + first, length, first, codes.get());
      CodedRow row = rows_.row(number, first, length, room);
      row.codes = codes.get();
      row.end = codes.get() + bytes;
      row.bits = kBits;
      if (row.kind == CodeValues::kSigned)
        row.kind = CodeValues::kTable;  // their sign bit is lower
      body(row, first, length);
      count -= length;
    }
  }

  // Parts that lie in the same words come one after the other.
  template <class Body>
  friend void for_ranges(const PlaneRows& rows, int64_t count, int64_t grain, const Body& body) {
    rows.planes_.for_ranges(count, grain, body);
  }

 private:
  CodedRows rows_;
  Planes planes_;
  int64_t columns_;
};

}  // namespace qspec
