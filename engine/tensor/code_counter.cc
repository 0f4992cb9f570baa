#include "engine/tensor/code_counter.h"

#include <algorithm>

#include "engine/tensor/bitstream.h"

namespace qspec {

void CodeCounter::add(const uint8_t* row, size_t first, size_t count) {
  const size_t end = first + count;
  if (8 % bits_ != 0) return add_one_by_one(row, first, end);
  const size_t in_byte = 8 / bits_;
  const size_t whole = std::min(end, (first + in_byte - 1) / in_byte * in_byte);
  const size_t whole_end = std::max(whole, end / in_byte * in_byte);
  add_one_by_one(row, first, whole);
  for (size_t i = whole / in_byte; i < whole_end / in_byte; ++i) ++bytes_[i & 1][row[i]];
  add_one_by_one(row, whole_end, end);
}

void CodeCounter::add_one_by_one(const uint8_t* row, size_t first, size_t end) {
  for (size_t c = first; c < end; ++c) ++single_[code_at(row, bits_, c)];
}

void CodeCounter::add_to(std::vector<int64_t>& codes) const {
  const size_t mask = codes.size() - 1;
  for (size_t value = 0; value < 256; ++value) {
    codes[value & mask] += single_[value];
    const int64_t times = bytes_[0][value] + bytes_[1][value];
    for (size_t shift = 0; shift + bits_ <= 8; shift += bits_)
      codes[value >> shift & mask] += times;
  }
}

}  // namespace qspec
