#include "engine/checkpoint/byte_cursor.h"

#include <algorithm>
#include <span>

#include "engine/core/error.h"
#include "engine/core/little_endian.h"

namespace qspec {
namespace {

constexpr uint64_t kWindow = 1 << 20;

}  // namespace

std::string_view ByteCursor::take(uint64_t count, std::string_view what) {
  if (count > left()) {
    throw Error(ErrorKind::kCheckpoint, std::string(what) + " has " + std::to_string(count) +
                                            " bytes, the file has " + std::to_string(left()) +
                                            " more")
        .at(printable_path(source_.path()), position_)
        .hint("the file is cut off, or this is no length");
  }
  if (position_ + count > window_begin_ + window_.size()) fill(count);
  const std::string_view bytes = std::string_view(window_).substr(position_ - window_begin_, count);
  position_ += count;
  return bytes;
}

uint64_t ByteCursor::take_natural(size_t bytes, std::string_view what) {
  return little_endian(take(bytes, what));
}

void ByteCursor::fill(uint64_t count) {
  window_.resize(std::min(std::max(count, kWindow), left()));
  window_begin_ = position_;
  source_.read_at(position_, std::as_writable_bytes(std::span(window_)));
}

}  // namespace qspec
