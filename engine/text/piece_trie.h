#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/text/component.h"
#include "engine/text/vocabulary.h"

namespace qspec {

// The tokens of a vocabulary as a tree of bytes: which of them a text begins with is found in one
// walk. Immutable; 12 bytes a node.
class PieceTrie {
 public:
  // Throws Error(kCheckpoint) for a token that is too long: each place in a text is searched as far
  // as the longest token reaches. An empty token is never found.
  PieceTrie(const Component& from, const Vocabulary& vocabulary);

  static constexpr uint32_t kRoot = 0;
  static constexpr int32_t kNone = -1;

  // The node behind `node` and `byte`, if a token goes on that way.
  std::optional<uint32_t> next(uint32_t node, unsigned char byte) const;
  std::optional<uint32_t> next(uint32_t node, std::string_view bytes) const;
  // The token that ends at a node, or kNone.
  int32_t id_at(uint32_t node) const { return nodes_[node].id; }

 private:
  struct Piece {
    std::string_view text;
    int32_t id;
  };
  // The pieces [begin, end) of the sorted list, which are equal up to `depth`, belong below `node`.
  struct Branch {
    uint32_t node;
    size_t begin;
    size_t end;
    size_t depth;
  };
  struct Node {
    uint32_t first_child = 0;  // the others follow, in the order of their bytes
    int32_t id = kNone;
    uint16_t children = 0;
    unsigned char byte = 0;
  };

  static std::vector<Piece> sorted_pieces(const Component& from, const Vocabulary& vocabulary);
  void grow(const std::vector<Piece>& pieces);

  std::vector<Node> nodes_;
  std::array<uint32_t, 256> first_;  // behind the root, where each search begins; 0: none
};

}  // namespace qspec
