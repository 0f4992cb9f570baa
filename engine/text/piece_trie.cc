#include "engine/text/piece_trie.h"

#include <algorithm>
#include <queue>

namespace qspec {
namespace {

constexpr size_t kLongestToken = 1024;

}  // namespace

PieceTrie::PieceTrie(const Component& from, const Vocabulary& vocabulary) : nodes_(1), first_{} {
  grow(sorted_pieces(from, vocabulary));
  for (uint32_t i = 0; i < nodes_[kRoot].children; ++i) {
    const uint32_t child = nodes_[kRoot].first_child + i;
    first_[nodes_[child].byte] = child;
  }
}

std::vector<PieceTrie::Piece> PieceTrie::sorted_pieces(const Component& from,
                                                       const Vocabulary& vocabulary) {
  std::vector<Piece> pieces;
  pieces.reserve(vocabulary.size());
  vocabulary.for_each([&](std::string_view text, int32_t id) {
    if (text.size() > kLongestToken) {
      throw from.refusal(ErrorKind::kCheckpoint,
                         "token " + std::to_string(id) + " has " + std::to_string(text.size()) +
                             " bytes, the limit is " + std::to_string(kLongestToken),
                         "vocab");
    }
    pieces.push_back({text, id});
  });
  std::sort(pieces.begin(), pieces.end(),
            [](const Piece& a, const Piece& b) { return a.text < b.text; });
  return pieces;
}

// Level by level, so that the children of a node lie together.
void PieceTrie::grow(const std::vector<Piece>& pieces) {
  const auto byte_at = [&](size_t piece, size_t depth) {
    return static_cast<unsigned char>(pieces[piece].text[depth]);
  };
  std::queue<Branch> branches;
  branches.push({kRoot, 0, pieces.size(), 0});
  while (!branches.empty()) {
    auto [node, begin, end, depth] = branches.front();
    branches.pop();
    if (begin < end && pieces[begin].text.size() == depth) nodes_[node].id = pieces[begin++].id;
    nodes_[node].first_child = static_cast<uint32_t>(nodes_.size());
    while (begin < end) {
      const unsigned char byte = byte_at(begin, depth);
      size_t behind = begin + 1;
      while (behind < end && byte_at(behind, depth) == byte) ++behind;
      branches.push({static_cast<uint32_t>(nodes_.size()), begin, behind, depth + 1});
      nodes_.push_back({0, kNone, 0, byte});
      ++nodes_[node].children;
      begin = behind;
    }
  }
}

std::optional<uint32_t> PieceTrie::next(uint32_t node, unsigned char byte) const {
  if (node == kRoot) return first_[byte] == 0 ? std::nullopt : std::optional(first_[byte]);
  const Node* begin = nodes_.data() + nodes_[node].first_child;
  const Node* end = begin + nodes_[node].children;
  const Node* child = std::lower_bound(
      begin, end, byte, [](const Node& one, unsigned char wanted) { return one.byte < wanted; });
  if (child == end || child->byte != byte) return std::nullopt;
  return static_cast<uint32_t>(child - nodes_.data());
}

std::optional<uint32_t> PieceTrie::next(uint32_t node, std::string_view bytes) const {
  std::optional<uint32_t> at = node;
  for (const char byte : bytes) {
    at = next(*at, static_cast<unsigned char>(byte));
    if (!at) break;
  }
  return at;
}

}  // namespace qspec
