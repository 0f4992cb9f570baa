#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "engine/tensor/repack.h"

namespace qspec {

// Streams of codes (repack.h) that lie down the columns of a matrix of words. They are brought
// into rows a panel at a time, so that what a cache holds of them can be decoded from there: moving
// all of them first would take as much memory traffic again.
class ColumnStreams {
 public:
  // Column c of words [rows, streams] is stream c.
  static ColumnStreams of_words(const at::Tensor& words);

  // The fields of column w, one a row, are streams w * n + order[k] for its n fields of `bits`
  // bits, a power of two; as transpose_fields. All throw Error(kCheckpoint) for a tensor that is
  // not of the kind wanted, Error(kSpec) for an order that is no permutation.
  static ColumnStreams of_fields(const at::Tensor& words, int64_t bits, const FieldOrder& order);

  int64_t count() const { return words_.size(1) * fields(); }
  int64_t bytes() const { return bytes_; }  // of a stream

  // A multiple of so many streams is quick to move.
  int64_t panel() const;

  // Streams first.. to rows of bytes() each. `first` is a multiple of panel(). As many streams are
  // written as the words have that these lie in: rounded_up(streams).
  void copy(int64_t first, int64_t streams, uint8_t* to) const;
  int64_t rounded_up(int64_t streams) const;

  // All of them: u8 [count(), bytes()].
  at::Tensor in_rows() const;

  const at::Tensor& words() const { return words_; }

 private:
  ColumnStreams(at::Tensor words, int64_t bits, FieldOrder order);

  int64_t fields() const { return order_.empty() ? 1 : static_cast<int64_t>(order_.size()); }

  at::Tensor words_;
  int64_t bits_;      // of a field
  FieldOrder order_;  // of the fields; empty where the words are taken whole
  int64_t bytes_;
};

}  // namespace qspec
