#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace qspec {

// Where the bytes of one tensor lie.
struct StoredRange {
  uint32_t file = 0;
  uint64_t offset = 0;
  uint64_t bytes = 0;
  bool is_alone = false;  // in its pieces
};

// A part of a range within a piece.
struct Segment {
  size_t range = 0;
  uint64_t begin = 0;  // within the range
  uint64_t bytes = 0;
  uint64_t at = 0;  // within the piece
};

// What is read at once. Begins at a multiple of kPageBytes of its file and has as many bytes, but
// for the end of a file.
struct Piece {
  uint32_t file = 0;
  uint64_t offset = 0;
  uint64_t bytes = 0;
  std::vector<Segment> segments;
};

// What direct I/O asks of positions, lengths and memory.
inline constexpr uint64_t kPageBytes = 4096;

// Cuts the ranges, in their order, where `piece_bytes` (a multiple of kPageBytes) divides their
// files, so that no piece is longer; neighbours share a piece unless one is alone. Ranges of no
// bytes have no segment. The bytes between ranges are read where a piece has some on both sides. A
// piece may reach behind the end of its file, by less than a page.
std::vector<Piece> pieces_of(std::span<const StoredRange> ranges, uint64_t piece_bytes);

}  // namespace qspec
