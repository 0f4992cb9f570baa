#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/core/byte_source.h"

namespace qspec {

// Reads a file from its first byte on, a window at a time.
class ByteCursor {
 public:
  explicit ByteCursor(const ByteSource& source) : source_(source) {}

  const ByteSource& source() const { return source_; }
  uint64_t position() const { return position_; }
  uint64_t left() const { return source_.size() - position_; }

  // The next `count` bytes, valid until the next call. Throws Error(kCheckpoint), naming `what`,
  // when the file ends before them.
  std::string_view take(uint64_t count, std::string_view what);
  // An unsigned number of so many bytes, little-endian.
  uint64_t take_natural(size_t bytes, std::string_view what);

 private:
  void fill(uint64_t count);

  const ByteSource& source_;
  std::string window_;
  uint64_t window_begin_ = 0;
  uint64_t position_ = 0;
};

}  // namespace qspec
