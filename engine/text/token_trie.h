#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/text/regex.h"

namespace qspec {

// Finds any of a set of words in a text: the leftmost, of those the longest.
class TokenTrie {
 public:
  TokenTrie();

  // An empty word is never found. Of two equal words the first stays.
  void add(std::string_view word, int32_t id);

  struct Match {
    int32_t id;
    TextSpan span;
  };
  std::optional<Match> find(std::string_view text, size_t from) const;

 private:
  static constexpr int32_t kNone = -1;
  struct Node {
    int32_t id = kNone;                                    // of the word that ends here
    std::vector<std::pair<unsigned char, uint32_t>> next;  // in the order of the bytes
  };

  const uint32_t* child(const Node& node, unsigned char byte) const;

  std::vector<Node> nodes_;
  std::array<bool, 256> begins_{};  // a word begins with this byte
};

}  // namespace qspec
