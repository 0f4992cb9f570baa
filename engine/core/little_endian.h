#pragma once

#include <cstdint>
#include <string_view>

namespace qspec {

// The number that up to eight bytes make, the least significant first.
inline uint64_t little_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace qspec
