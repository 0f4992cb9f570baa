#include "engine/text/token_trie.h"

#include <algorithm>

namespace qspec {
namespace {

auto place_of(auto& next, unsigned char byte) {
  return std::lower_bound(
      next.begin(), next.end(), byte,
      [](const auto& edge, unsigned char wanted) { return edge.first < wanted; });
}

}  // namespace

TokenTrie::TokenTrie() : nodes_(1) {}

void TokenTrie::add(std::string_view word, int32_t id) {
  if (word.empty()) return;
  begins_[static_cast<unsigned char>(word[0])] = true;
  uint32_t at = 0;
  for (const char letter : word) {
    const auto byte = static_cast<unsigned char>(letter);
    auto edge = place_of(nodes_[at].next, byte);
    if (edge == nodes_[at].next.end() || edge->first != byte) {
      const auto created = static_cast<uint32_t>(nodes_.size());
      nodes_[at].next.insert(edge, {byte, created});
      nodes_.emplace_back();
      at = created;
    } else {
      at = edge->second;
    }
  }
  if (nodes_[at].id == kNone) nodes_[at].id = id;
}

const uint32_t* TokenTrie::child(const Node& node, unsigned char byte) const {
  const auto edge = place_of(node.next, byte);
  return edge == node.next.end() || edge->first != byte ? nullptr : &edge->second;
}

std::optional<TokenTrie::Match> TokenTrie::find(std::string_view text, size_t from) const {
  for (size_t begin = from; begin < text.size(); ++begin) {
    if (!begins_[static_cast<unsigned char>(text[begin])]) continue;
    std::optional<Match> longest;
    const uint32_t* node = nullptr;
    uint32_t at = 0;
    for (size_t end = begin; end < text.size(); ++end) {
      node = child(nodes_[at], static_cast<unsigned char>(text[end]));
      if (node == nullptr) break;
      at = *node;
      if (nodes_[at].id != kNone) longest = Match{nodes_[at].id, {begin, end + 1}};
    }
    if (longest) return longest;
  }
  return std::nullopt;
}

}  // namespace qspec
