#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace qspec::test {

// Compiled replacements as SentencePiece writes them, but built the simple way: each node of the
// tree of keys has 256 units of its own.
class CharsmapBuilder {
 public:
  CharsmapBuilder() { nodes_.emplace_back(); }

  CharsmapBuilder& add(std::string_view key, std::string_view replacement) {
    size_t node = 0;
    for (const char letter : key) {
      const auto [place, is_new] =
          nodes_[node].next.try_emplace(static_cast<unsigned char>(letter), nodes_.size());
      node = place->second;
      if (is_new) nodes_.emplace_back();
    }
    nodes_[node].value = static_cast<int64_t>(texts_.size());
    texts_ += std::string(replacement) + '\0';
    return *this;
  }

  std::vector<uint32_t> units() const {
    constexpr uint32_t kBlock = 256;
    std::vector<uint32_t> units((nodes_.size() + 1) * kBlock);
    units[0] = kBlock << 10;  // from unit 0 to the block of the first node
    for (size_t node = 0; node < nodes_.size(); ++node) {
      const auto block = static_cast<uint32_t>((node + 1) * kBlock);
      if (nodes_[node].value >= 0) {
        units[block] = static_cast<uint32_t>(nodes_[node].value) | 1u << 31;
      }
      for (const auto& [byte, child] : nodes_[node].next) {
        const uint32_t at = block ^ byte;
        const auto to = static_cast<uint32_t>((child + 1) * kBlock);
        units[at] = (at ^ to) << 10 | (nodes_[child].value >= 0 ? 1u << 8 : 0) | byte;
      }
    }
    return units;
  }

  const std::string& texts() const { return texts_; }
  std::string bytes() const { return bytes_of(units(), texts_); }

  static std::string bytes_of(const std::vector<uint32_t>& units, std::string_view texts) {
    const auto size = static_cast<uint32_t>(units.size() * sizeof(uint32_t));
    std::string bytes(sizeof size + size, '\0');
    std::memcpy(bytes.data(), &size, sizeof size);
    std::memcpy(bytes.data() + sizeof size, units.data(), size);
    return bytes + std::string(texts);
  }

 private:
  struct Node {
    std::map<unsigned char, size_t> next;
    int64_t value = -1;
  };
  std::vector<Node> nodes_;
  std::string texts_;
};

}  // namespace qspec::test
