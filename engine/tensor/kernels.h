#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/tensor/simd.h"

namespace qspec {

// Pointer kernels without LibTorch and without threads. Pointers may be unaligned; outputs do not
// overlap inputs.
//
// All versions of a kernel give the same bits. Sums are kept in 16 fp32 lanes, element i in lane
// i % 16, and folded in halves (lane j with lane j + 8, then + 4, + 2, + 1); no multiply-add is
// fused.

// How x becomes a 4-bit code. The position of x is the number of thresholds strictly below it, or
// below |x| when `magnitude` is set; its code is codes[position], with bit 3 set when `magnitude`
// is set and x < 0. A NaN is above no threshold.
struct CodeRule {
  float thresholds[16];  // ascending, the unused ones +infinity
  uint32_t codes[16];
  bool magnitude = false;
};

// How the codes of a CodedRow become numbers, where no table has to be asked.
enum class CodeValues {
  kTable,   // values[code]
  kOffset,  // code + base
  kSigned,  // two's complement
  kE4m3,    // 8 bits: a float8_e4m3fn
};

// What results of arithmetic are rounded to.
enum class Rounding { kNone, kHalf, kBfloat16 };

// A row of codes with its scales: code c is the `bits` bits from bit bits * place on, counted from
// the lowest bit of the first byte; its place is c, or c ^ 1.
struct CodedRow {
  const uint8_t* codes;
  const uint8_t* end;  // what lies before may be read
  int bits;            // 1 to 8
  bool high_first;     // of 4 bits, the even code in a byte's high nibble: places c ^ 1
  CodeValues kind;
  float base;
  const float* values;    // [2^bits], never null; at least [16] are there, the values over again
  const float* scales;    // [column groups]
  const float* zeros;     // [column groups], or null
  const float* shifts;    // [column groups], or null
  const int32_t* groups;  // the column group of each column, or null: column / block, where no 16
                          // columns from a multiple of 16 on have two
  const uint8_t* group_bytes;  // the same where there are at most 256 groups, or null
  size_t column_groups;
  size_t block;
  Rounding rounding;  // see decode_coded; without zeros, the values are rounded so already

  // Behind the groups of the last column are so many more that may be read.
  static constexpr size_t kPadding = 64;
};

// 16 rows of 16 words of 32 bits. Strides are bytes from one row to the next.
struct WordTile {
  static constexpr size_t kWords = 16;

  const uint8_t* from;
  size_t from_stride;
  uint8_t* to;
  size_t to_stride;
  bool streamed = false;  // past the caches, where the rows of `to` are aligned to the vectors
};

// The same field of all words.
struct WordField {
  const uint8_t* words;
  size_t word_bytes;  // 1, 2 or 4
  int shift;          // its lowest bit
  int bits;           // 1 to 4
};

// Part of a row whose vectors are sums of vectors of several books, a code each.
struct VectorCodes {
  const uint8_t* codes;    // [vectors][books], little endian integers
  size_t code_bytes;       // 1, 2 or 4
  uint32_t mask;           // of the bits of a code that count
  size_t books;            // 1 or more
  const uint8_t* numbers;  // of the part of vector 0 of book 0 that lies in the row
  size_t vector_bytes;     // from one vector to the next
  size_t book_bytes;       // from one book to the next
  size_t width;            // numbers of a vector that lie in the row
  Rounding kind;           // what numbers are: floats where it is kNone
  float scale;             // such a number
};

// As many lines as a word has fields, a power of two of them.
struct FieldLines {
  static constexpr size_t kLine = 64;  // bytes

  void* lines;  // aligned to 8 bytes
  size_t bits;  // of a field
  size_t word_bits;
};

// Of reference r and decoded q, with e = q - r, over one stretch.
struct ErrorSums {
  float cross;          // sum of r * e
  float max_abs_error;  // largest |e|; a NaN does not count
};

// Of x over one stretch without NaN.
struct MomentSums {
  float sum;
  float squares;
  float min;
  float max;
  size_t zeros;
};

struct Kernels {
  // Exact.
  void (*half_to_float)(const uint16_t* from, size_t count, float* to);
  void (*bfloat16_to_float)(const uint16_t* from, size_t count, float* to);
  // To nearest, ties to even. A NaN keeps its sign and upper payload as a half and becomes 0x7fc0
  // as a bfloat16, which is what torch does.
  void (*float_to_half)(const float* from, size_t count, uint16_t* to);
  void (*float_to_bfloat16)(const float* from, size_t count, uint16_t* to);

  // Copies past the caches where `to` is aligned to the vectors, for results that no cache would
  // hold until they are read. Other threads see them after a fence (parallel_ranges ends with one).
  void (*stream)(const void* from, size_t bytes, void* to);

  // absmax[b] = the largest |x| of block b, NaNs apart; codes of x * (1 / absmax[b]), code 2k in
  // the high nibble of packed[k]. `count` and `block` are even, the last block may be short. A
  // block of zeros multiplies 0 by infinity, so its codes are those of NaN.
  void (*encode4)(const float* x, size_t count, size_t block, const CodeRule& rule, uint8_t* packed,
                  float* absmax);

  // Columns first, first + 1, ... of the row: (value - zero) * scale + shift, rounded after each
  // operation. With `rounding` the difference, and where there are shifts the product too, become
  // such a number. `streamed` as in WordTile. The bits of a NaN may differ between versions.
  void (*decode_coded)(const CodedRow& row, size_t first, size_t count, float* to, bool streamed);
  // The same rounded as float_to_half and float_to_bfloat16 do.
  void (*decode_coded_to_half)(const CodedRow& row, size_t first, size_t count, uint16_t* to,
                               bool streamed);
  void (*decode_coded_to_bfloat16)(const CodedRow& row, size_t first, size_t count, uint16_t* to,
                                   bool streamed);

  // Word c of row r becomes word r of row c.
  void (*transpose_tile)(const WordTile& tile);

  // Field k of each word of line i becomes field i of that word of line k.
  void (*transpose_fields)(const FieldLines& fields);

  // The fields of `count` words as nibbles: those of words 2i and 2i + 1 are the low and the high
  // half of to[i], whose high half is 0 behind the last word.
  void (*field_nibbles)(const WordField& field, size_t count, uint8_t* to);

  // `count` vectors: the sum of their books' in fp32, one after the other, and its product with the
  // scale, both rounded to the kind of the numbers. `to` takes such numbers. `streamed` as in
  // WordTile.
  void (*sum_vectors)(const VectorCodes& codes, size_t count, void* to, bool streamed);

  // The largest |x|, NaNs apart; 0 for none.
  float (*absmax)(const float* x, size_t count);

  // squares[b] = sum of r * r and errors[b] = sum of e * e over block b (the last may be short);
  // the rest over all `count` elements.
  ErrorSums (*error_sums)(const float* r, const float* q, size_t count, size_t block,
                          float* squares, float* errors);
  // `count` > 0.
  MomentSums (*moment_sums)(const float* x, size_t count);
};

// The processor must have `level`.
const Kernels& kernels(Simd level);
inline const Kernels& kernels() {
  return kernels(simd());
}

}  // namespace qspec
