#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qspec::test {

// A number of so many bytes, little-endian.
inline std::string le(uint64_t value, size_t bytes) {
  std::string text;
  for (size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i);
  return text;
}

inline std::string gguf_text(std::string_view text) {
  return le(text.size(), 8) + std::string(text);
}

// A key with a value of this type; `value` as it lies in the file.
inline std::string gguf_pair(std::string_view key, uint32_t type, std::string_view value) {
  return gguf_text(key) + le(type, 4) + std::string(value);
}

inline std::string gguf_array(std::string_view key, uint32_t type, uint64_t count,
                              std::string_view values) {
  return gguf_pair(key, 9, le(type, 4) + le(count, 8) + std::string(values));
}

// A tensor's description; dimensions in the order of the file, the fastest first.
inline std::string gguf_tensor(std::string_view name, const std::vector<uint64_t>& dimensions,
                               uint32_t type, uint64_t offset) {
  std::string text = gguf_text(name) + le(dimensions.size(), 4);
  for (const uint64_t size : dimensions) text += le(size, 8);
  return text + le(type, 4) + le(offset, 8);
}

// A file as it should be, unless a field says otherwise.
struct GgufFile {
  std::vector<std::string> pairs;
  std::vector<std::string> tensors;
  std::string data;
  uint32_t version = 3;
  uint64_t alignment = 32;
  std::string magic = "GGUF";

  std::string bytes() const { return header(tensors.size(), pairs.size()); }

  // With other counts than there are.
  std::string header(uint64_t tensor_count, uint64_t pair_count) const {
    std::string text = magic + le(version, 4) + le(tensor_count, 8) + le(pair_count, 8);
    for (const std::string& pair : pairs) text += pair;
    for (const std::string& tensor : tensors) text += tensor;
    text.resize((text.size() + alignment - 1) / alignment * alignment, '\0');
    return text + data;
  }
};

}  // namespace qspec::test
