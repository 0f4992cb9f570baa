#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "engine/tensor/coded.h"
#include "engine/tensor/coded_rows.h"
#include "engine/tensor/kernels.h"

namespace qspec {

// The rows of a checked Coded whose codes lie down columns: a panel of them is brought into rows,
// decoded from the cache and forgotten.
class CodedPanels {
 public:
  explicit CodedPanels(const Coded& weight)
      : rows_(weight),
        streams_(*weight.columns),
        columns_(std::max<int64_t>(1, weight.shape.back())) {}

  // Elements of a panel.
  int64_t elements() const { return streams_.panel() * columns_; }

  const Kernels& kernels() const { return rows_.kernels(); }

  // As CodedRows::for_parts; `begin` is a multiple of elements().
  template <class Body>
  void for_parts(int64_t begin, int64_t count, const Body& body) const {
    const auto bytes = static_cast<size_t>(streams_.panel() * streams_.bytes());
    const auto codes = std::make_unique_for_overwrite<uint8_t[]>(bytes);
    CodedRows::Room room;
    const int64_t end = (begin + count) / columns_;
    for (int64_t first = begin / columns_; first < end; first += streams_.panel()) {
      const int64_t rows = std::min(end - first, streams_.panel());
      streams_.copy(first, rows, codes.get());
      for (int64_t i = 0; i < rows; ++i) {
        CodedRow row = rows_.row(first + i, 0, columns_, room);
        row.codes = codes.get() + i * streams_.bytes();
        row.end = codes.get() + streams_.rounded_up(rows) * streams_.bytes();
        body(row, 0, columns_);
      }
    }
  }

 private:
  CodedRows rows_;
  ColumnStreams streams_;
  int64_t columns_;
};

}  // namespace qspec
