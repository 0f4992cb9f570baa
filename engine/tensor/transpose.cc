#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "engine/core/error.h"
#include "engine/tensor/kernels.h"
#include "engine/tensor/parallel.h"
#include "engine/tensor/parts.h"
#include "engine/tensor/repack.h"
#include "engine/tensor/sizes.h"
#include "engine/tensor/transpose_strips.h"
#include "engine/tensor/words.h"

namespace qspec {
namespace {

// A larger result leaves the caches before anyone reads it.
constexpr int64_t kCachedBytes = 16 << 20;

// Matrices that lie one behind the other.
struct Batch {
  int64_t matrices;
  int64_t rows;
  int64_t columns;
};

Batch batch_of(const at::Tensor& tensor) {
  const int64_t rows = tensor.size(-2), columns = tensor.size(-1);
  const int64_t elements = rows * columns;
  return {elements == 0 ? 0 : tensor.numel() / elements, rows, columns};
}

bool is_large(const at::Tensor& tensor) {
  return static_cast<int64_t>(tensor.nbytes()) > kCachedBytes;
}

// Calls body(matrix, first column, columns) for strips of at most `width` columns, on all threads.
template <class Body>
void for_strips(const Batch& batch, int64_t width, const Body& body) {
  const int64_t strips = ceil_div(batch.columns, width);
  parallel_ranges(batch.matrices * strips, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i % strips * width;
      body(i / strips, first, std::min(width, batch.columns - first));
    }
  });
}

template <class Word>
void transpose(const at::Tensor& from, at::Tensor& to) {
  constexpr int64_t kSquares = 4;
  const Batch batch = batch_of(from);
  const auto* source = static_cast<const uint8_t*>(from.const_data_ptr());
  auto* target = static_cast<uint8_t*>(to.mutable_data_ptr());
  const bool streamed = is_large(to);
  const auto rows = static_cast<size_t>(batch.rows);
  const size_t from_stride = static_cast<size_t>(batch.columns) * sizeof(Word);
  const size_t to_stride = rows * sizeof(Word);
  for_strips(batch, kSquares * strips::Square<Word>::kSide,
             [&](int64_t matrix, int64_t c, int64_t width) {
               const size_t offset = static_cast<size_t>(matrix) * rows * from_stride;
               const auto first = static_cast<size_t>(c);
               strips::transpose_strip<Word>({source + offset + first * sizeof(Word), from_stride,
                                              target + offset + first * to_stride, to_stride, rows,
                                              static_cast<size_t>(width), streamed});
             });
}

int64_t checked_size_of(const at::Tensor& tensor) {
  const int64_t size = tensor.element_size();
  if (size <= 8) return size;
  throw Error(ErrorKind::kCheckpoint,
              "elements of " + std::to_string(size) + " bytes are no words, wanted 1, 2, 4 or 8");
}

void check_matrix(const at::Tensor& tensor) {
  if (tensor.dim() >= 2) return;
  throw Error(ErrorKind::kCheckpoint, "a tensor of " + std::to_string(tensor.dim()) +
                                          " dimensions has no transpose, wanted at least 2");
}

template <class Word>
void transpose_fields(const at::Tensor& from, size_t bits, const FieldOrder& order,
                      at::Tensor& to) {
  const Batch batch = batch_of(from);
  const auto* source = static_cast<const uint8_t*>(from.const_data_ptr());
  auto* target = static_cast<uint8_t*>(to.mutable_data_ptr());
  const bool streamed = is_large(to);
  const auto rows = static_cast<size_t>(batch.rows), width = static_cast<size_t>(batch.columns);
  const size_t from_stride = width * sizeof(Word), stream = (rows * bits + 7) / 8;
  constexpr int64_t kWords = strips::kLine / sizeof(Word);
  for_strips(batch, kWords, [&](int64_t matrix, int64_t first, int64_t count) {
    const auto word = static_cast<size_t>(matrix) * width + static_cast<size_t>(first);
    const size_t above = static_cast<size_t>(matrix) * rows * width;
    strips::transpose_field_strip<Word>(
        {source + (above + static_cast<size_t>(first)) * sizeof(Word), from_stride,
         target + word * order.size() * stream, stream, rows, static_cast<size_t>(count), streamed},
        bits, order);
  });
}

// Other widths: through codes of a byte each.
at::Tensor transpose_odd_fields(const at::Tensor& words, int64_t bits, const FieldOrder& order) {
  return pack_stream(transpose_words(unpack_fields(words, bits, order)), bits);
}

}  // namespace

at::Tensor transpose_words(const at::Tensor& words) {
  check_matrix(words);
  const at::Tensor from = words.contiguous();
  at::Tensor result =
      empty_tensor(with_last(from, {from.size(-1), from.size(-2)}), from.scalar_type());
  with_word(checked_size_of(from), [&](auto zero) { transpose<decltype(zero)>(from, result); });
  return result;
}

at::Tensor transpose_fields(const at::Tensor& words, int64_t bits, const FieldOrder& order) {
  check_bits(bits);
  const at::Tensor from = checked_words(words, 2);
  const FieldOrder places = checked_order(order, from, bits);
  if ((bits & (bits - 1)) != 0) return transpose_odd_fields(from, bits, order);
  const int64_t streams = product(from.size(-1), static_cast<int64_t>(places.size()));
  const int64_t bytes = ceil_div(product(from.size(-2), bits), 8);
  at::Tensor result = empty_tensor(with_last(from, {streams, bytes}), at::kByte);
  with_word(from.element_size(), [&](auto zero) {
    transpose_fields<decltype(zero)>(from, static_cast<size_t>(bits), places, result);
  });
  return result;
}

}  // namespace qspec
