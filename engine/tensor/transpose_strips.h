// Transposing a strip of a matrix of words, tile by tile. For transpose.cc and column_streams.cc.

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "engine/tensor/kernels.h"
#include "engine/tensor/repack.h"

namespace qspec::strips {

inline constexpr size_t kLine = 64;  // bytes that a processor fetches at once

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
inline void Square<uint32_t>::transpose(const Part& part) {
  static_assert(kSide == WordTile::kWords);
  if (part.rows < kSide || part.columns < kSide) return transpose_slowly<uint32_t>(part);
  kernels().transpose_tile({part.from, part.from_stride, part.to, part.to_stride, part.streamed});
}

// Squares along the rows of `whole`: what is written goes on where it ended.
template <class Word>
void transpose_strip(const Part& whole) {
  constexpr size_t kSide = Square<Word>::kSide, kAhead = 2;
  for (size_t r = 0; r < whole.rows; r += kSide) {
    for (size_t c = 0; c < whole.columns; c += kSide) {
      Part part = whole;
      part.from += r * whole.from_stride + c * sizeof(Word);
      part.to += c * whole.to_stride + r * sizeof(Word);
      part.rows = std::min(kSide, whole.rows - r);
      part.columns = std::min(kSide, whole.columns - c);
      for (size_t i = 0; i < kSide; ++i) {  // rows are too far apart to be foreseen
        __builtin_prefetch(part.from + (kAhead * kSide + i) * part.from_stride);
      }
      Square<Word>::transpose(part);
    }
  }
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
        const uint8_t* row = from + (first + i) * stride;
        __builtin_prefetch(row + this->rows() * stride);  // of the next tile: rows are far apart
        if (i < height && words == kWords) {
          std::memcpy(block[i].data(), row, kLine);  // a copy of fixed length is one instruction
        } else {
          block[i].fill(0);
          if (i < height) std::memcpy(block[i].data(), row, words * sizeof(Word));
        }
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

// Streams of the fields of a strip of words: stream word * fields + order[k] of `to` is that of
// field k.
template <class Word>
void transpose_field_strip(const Part& strip, size_t bits, const FieldOrder& order) {
  constexpr size_t kWords = FieldTile<Word>::kWords;
  FieldTile<Word> tile(bits, order);
  for (size_t r = 0; r < strip.rows; r += tile.rows()) {
    const size_t height = std::min(tile.rows(), strip.rows - r);
    for (size_t w = 0; w < strip.columns; w += kWords) {
      const size_t words = std::min(kWords, strip.columns - w);
      tile.read(strip.from + r * strip.from_stride + w * sizeof(Word), strip.from_stride, height,
                words);
      tile.write(strip.to + w * order.size() * strip.to_stride + r * bits / 8, strip.to_stride,
                 (height * bits + 7) / 8, words, strip.streamed);
    }
  }
}

}  // namespace qspec::strips
