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
#include "engine/tensor/words.h"

namespace qspec {
namespace {

constexpr size_t kLine = 64;  // bytes that a processor fetches at once

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

// Part of a matrix of words with 2^n bytes, and where it goes. Strides are bytes.
struct Part {
  const uint8_t* from;
  size_t from_stride;
  uint8_t* to;
  size_t to_stride;
  size_t rows;
  size_t columns;
  bool streamed;
};

template <class Word>
void transpose_slowly(const Part& part) {
  for (size_t c = 0; c < part.columns; ++c) {
    const uint8_t* from = part.from + c * sizeof(Word);
    uint8_t* to = part.to + c * part.to_stride;
    for (size_t r = 0; r < part.rows; ++r) {
      std::memcpy(to + r * sizeof(Word), from + r * part.from_stride, sizeof(Word));
    }
  }
}

// A part of at most kSide rows and columns.
template <class Word>
struct Square {
  static constexpr size_t kSide = kLine / sizeof(Word);

  // Through a buffer: rows of a matrix may lie a power of two apart, where the cache could not hold
  // many of them at once.
  static void transpose(const Part& part) {
    if (part.rows < kSide || part.columns < kSide) return transpose_slowly<Word>(part);
    alignas(kLine) std::array<std::array<Word, kSide>, kSide> columns;
    for (size_t r = 0; r < kSide; ++r) {
      std::array<Word, kSide> row;
      std::memcpy(row.data(), part.from + r * part.from_stride, sizeof row);
      for (size_t c = 0; c < kSide; ++c) columns[c][r] = row[c];
    }
    for (size_t c = 0; c < kSide; ++c) {
      std::memcpy(part.to + c * part.to_stride, columns[c].data(), sizeof columns[c]);
    }
  }
};

template <>
void Square<uint32_t>::transpose(const Part& part) {
  static_assert(kSide == WordTile::kWords);
  if (part.rows < kSide || part.columns < kSide) return transpose_slowly<uint32_t>(part);
  kernels().transpose_tile({part.from, part.from_stride, part.to, part.to_stride, part.streamed});
}

// Squares along the rows of `whole`: what is written goes on where it ended.
template <class Word>
void transpose_strip(const Part& whole) {
  constexpr size_t kSide = Square<Word>::kSide;
  for (size_t r = 0; r < whole.rows; r += kSide) {
    for (size_t c = 0; c < whole.columns; c += kSide) {
      Part part = whole;
      part.from += r * whole.from_stride + c * sizeof(Word);
      part.to += c * whole.to_stride + r * sizeof(Word);
      part.rows = std::min(kSide, whole.rows - r);
      part.columns = std::min(kSide, whole.columns - c);
      Square<Word>::transpose(part);
    }
  }
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
  for_strips(batch, kSquares * Square<Word>::kSide, [&](int64_t matrix, int64_t c, int64_t width) {
    const size_t offset = static_cast<size_t>(matrix) * rows * from_stride;
    const auto first = static_cast<size_t>(c);
    transpose_strip<Word>({source + offset + first * sizeof(Word), from_stride,
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

// For a power of two of fields that fill a word: n rows of it become one word of each of its n
// streams. A tile is kWords times n rows of at most kWords words.
template <class Word>
class FieldTile {
 public:
  static constexpr size_t kWords = kLine / sizeof(Word);

  FieldTile(size_t bits, const FieldOrder& order) : bits_(bits), order_(order) {}

  size_t fields() const { return order_.size(); }
  size_t rows() const { return kWords * fields(); }

  // Rows and words that are absent count as zeros.
  void read(const uint8_t* from, size_t stride, size_t rows, size_t words) {
    for (size_t group = 0; group * fields() < rows; ++group) {
      const size_t first = group * fields(), height = std::min(fields(), rows - first);
      alignas(kLine) std::array<std::array<Word, kWords>, kMostFields> block;
      for (size_t i = 0; i < fields(); ++i) {
        if (i >= height || words < kWords) block[i].fill(0);
        if (i >= height) continue;
        const uint8_t* row = from + (first + i) * stride;
        __builtin_prefetch(row + this->rows() * stride);  // of the next tile: rows are far apart
        std::memcpy(block[i].data(), row, words * sizeof(Word));
      }
      kernels().transpose_fields({block.data(), bits_, 8 * sizeof(Word)});
      for (size_t k = 0; k < fields(); ++k) planes_[k][group] = block[k];
    }
  }

  // The stream of field k of word w is row w * fields + order[k] of `to`, `bytes` of it.
  void write(uint8_t* to, size_t stride, size_t bytes, size_t words, bool streamed) const {
    const bool whole = bytes == kLine && words == kWords;
    for (size_t k = 0; k < fields(); ++k) {
      uint8_t* first = to + static_cast<size_t>(order_[k]) * stride;
      const auto* plane = reinterpret_cast<const uint8_t*>(planes_[k].data());
      if (whole) {
        Square<Word>::transpose({plane, kLine, first, fields() * stride, kWords, kWords, streamed});
        continue;
      }
      std::array<std::array<Word, kWords>, kWords> streams;
      Square<Word>::transpose(
          {plane, kLine, reinterpret_cast<uint8_t*>(streams.data()), kLine, kWords, kWords, false});
      for (size_t w = 0; w < words; ++w) {
        std::memcpy(first + w * fields() * stride, streams[w].data(), bytes);
      }
    }
  }

 private:
  static constexpr size_t kMostFields = 8 * sizeof(Word);

  size_t bits_;
  const FieldOrder& order_;
  // Field k of each group of rows, word by word.
  alignas(kLine) std::array<std::array<std::array<Word, kWords>, kWords>, kMostFields> planes_{};
};

template <class Word>
void transpose_fields(const at::Tensor& from, size_t bits, const FieldOrder& order,
                      at::Tensor& to) {
  using Tile = FieldTile<Word>;
  const Batch batch = batch_of(from);
  const auto* source = static_cast<const uint8_t*>(from.const_data_ptr());
  auto* target = static_cast<uint8_t*>(to.mutable_data_ptr());
  const bool streamed = is_large(to);
  const auto rows = static_cast<size_t>(batch.rows), width = static_cast<size_t>(batch.columns);
  const size_t from_stride = width * sizeof(Word), stream = (rows * bits + 7) / 8;
  for_strips(batch, Tile::kWords, [&](int64_t matrix, int64_t first, int64_t count) {
    const auto word = static_cast<size_t>(matrix) * width + static_cast<size_t>(first);
    const uint8_t* strip =
        source +
        (static_cast<size_t>(matrix) * rows * width + static_cast<size_t>(first)) * sizeof(Word);
    const auto words = static_cast<size_t>(count);
    Tile tile(bits, order);
    for (size_t r = 0; r < rows; r += tile.rows()) {
      const size_t height = std::min(tile.rows(), rows - r);
      tile.read(strip + r * from_stride, from_stride, height, words);
      tile.write(target + word * order.size() * stream + r * bits / 8, stream,
                 (height * bits + 7) / 8, words, streamed);
    }
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
