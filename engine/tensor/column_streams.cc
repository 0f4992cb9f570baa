#include "engine/tensor/column_streams.h"

#include <string>
#include <utility>

#include "engine/core/error.h"
#include "engine/tensor/parts.h"
#include "engine/tensor/transpose_strips.h"
#include "engine/tensor/words.h"

namespace qspec {
namespace {

// Lines of words that a panel is wide: what is read of a row then fills neighbouring lines.
constexpr int64_t kLinesOfWords = 4;
constexpr int64_t kLinesOfFields = 1;

int64_t words_a_line(const at::Tensor& words) {
  return static_cast<int64_t>(strips::kLine) / words.element_size();
}

at::Tensor checked_matrix(const at::Tensor& words) {
  at::Tensor checked = checked_words(words, 2);
  if (checked.dim() == 2) return checked;
  throw Error(ErrorKind::kCheckpoint, "words have " + std::to_string(checked.dim()) +
                                          " dimensions, wanted rows and columns");
}

}  // namespace

ColumnStreams::ColumnStreams(at::Tensor words, int64_t bits, FieldOrder order)
    : words_(std::move(words)),
      bits_(bits),
      order_(std::move(order)),
      bytes_(ceil_div(product(words_.size(0), bits_), 8)) {}

ColumnStreams ColumnStreams::of_words(const at::Tensor& words) {
  at::Tensor checked = checked_matrix(words);
  const int64_t bits = 8 * checked.element_size();
  return {std::move(checked), bits, {}};
}

ColumnStreams ColumnStreams::of_fields(const at::Tensor& words, int64_t bits,
                                       const FieldOrder& order) {
  check_bits(bits);
  at::Tensor checked = checked_matrix(words);
  if ((bits & (bits - 1)) != 0) {
    throw Error(ErrorKind::kCheckpoint,
                "fields have " + std::to_string(bits) + " bits, wanted a power of two of them");
  }
  FieldOrder places = checked_order(order, checked, bits);
  return {std::move(checked), bits, std::move(places)};
}

int64_t ColumnStreams::panel() const {
  const int64_t lines = order_.empty() ? kLinesOfWords : kLinesOfFields;
  return lines * words_a_line(words_) * fields();
}

int64_t ColumnStreams::rounded_up(int64_t streams) const {
  return ceil_div(streams, fields()) * fields();
}

void ColumnStreams::copy(int64_t first, int64_t streams, uint8_t* to) const {
  const int64_t word = first / fields(), words = ceil_div(streams, fields());
  const auto stride = static_cast<size_t>(words_.size(1) * words_.element_size());
  const strips::Part part{
      static_cast<const uint8_t*>(words_.const_data_ptr()) + word * words_.element_size(),
      stride,
      to,
      static_cast<size_t>(bytes_),
      static_cast<size_t>(words_.size(0)),
      static_cast<size_t>(words),
      false};
  with_word(words_.element_size(), [&](auto zero) {
    using Word = decltype(zero);
    if (order_.empty()) return strips::transpose_strip<Word>(part);
    strips::transpose_field_strip<Word>(part, static_cast<size_t>(bits_), order_);
  });
}

at::Tensor ColumnStreams::in_rows() const {
  if (!order_.empty()) return transpose_fields(words_, bits_, order_);
  return transpose_words(words_).view(at::kByte);
}

}  // namespace qspec
