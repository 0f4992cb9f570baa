#include "engine/upload/pieces.h"

#include <algorithm>

namespace qspec {
namespace {

uint64_t rounded_down(uint64_t value, uint64_t step) {
  return value / step * step;
}

class Cutting {
 public:
  explicit Cutting(uint64_t piece_bytes) : piece_bytes_(piece_bytes) {}

  void add(size_t number, const StoredRange& range) {
    uint64_t begin = 0;
    while (begin < range.bytes) {
      const uint64_t at = range.offset + begin;
      const uint64_t cell_end = rounded_down(at, piece_bytes_) + piece_bytes_;
      const uint64_t bytes = std::min(range.bytes - begin, cell_end - at);
      place(range, at, {number, begin, bytes, 0});
      begin += bytes;
    }
  }

  std::vector<Piece> take() { return std::move(pieces_); }

 private:
  // The last piece takes the segment when both lie in one cell of its file, in order.
  bool continues(const StoredRange& range, uint64_t at) const {
    if (pieces_.empty() || range.is_alone || last_is_alone_) return false;
    const Piece& last = pieces_.back();
    return last.file == range.file && at >= last.offset &&
           rounded_down(at, piece_bytes_) == rounded_down(last.offset, piece_bytes_);
  }

  void place(const StoredRange& range, uint64_t at, Segment segment) {
    if (!continues(range, at)) pieces_.push_back({range.file, rounded_down(at, kPageBytes), 0, {}});
    last_is_alone_ = range.is_alone;
    Piece& piece = pieces_.back();
    segment.at = at - piece.offset;
    const uint64_t end = rounded_down(segment.at + segment.bytes + kPageBytes - 1, kPageBytes);
    piece.bytes = std::max(piece.bytes, end);
    piece.segments.push_back(segment);
  }

  uint64_t piece_bytes_;
  std::vector<Piece> pieces_;
  bool last_is_alone_ = false;
};

}  // namespace

std::vector<Piece> pieces_of(std::span<const StoredRange> ranges, uint64_t piece_bytes) {
  Cutting cutting(piece_bytes);
  for (size_t i = 0; i < ranges.size(); ++i) cutting.add(i, ranges[i]);
  return cutting.take();
}

}  // namespace qspec
