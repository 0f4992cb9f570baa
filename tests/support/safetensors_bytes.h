#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace qspec::test {

// The length field of a safetensors file.
inline std::string length_field(uint64_t length) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(length >> (8 * i) & 0xFF);
  return bytes;
}

// A whole file: length field, header as given, data.
inline std::string safetensors(std::string_view header, std::string_view data = "") {
  return length_field(header.size()).append(header).append(data);
}

// One member of the header object: entry("a", "F32", "[2]", 0, 8).
inline std::string entry(std::string_view name, std::string_view dtype, std::string_view shape,
                         uint64_t begin, uint64_t end) {
  return "\"" + std::string(name) + "\":{\"dtype\":\"" + std::string(dtype) +
         "\",\"shape\":" + std::string(shape) + ",\"data_offsets\":[" + std::to_string(begin) +
         "," + std::to_string(end) + "]}";
}

// A file of these header members and `bytes` zero bytes of data.
inline std::string file_of(std::string_view members, size_t bytes) {
  return safetensors("{" + std::string(members) + "}", std::string(bytes, '\0'));
}

}  // namespace qspec::test
