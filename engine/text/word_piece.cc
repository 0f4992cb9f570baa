#include "engine/text/word_piece.h"

#include "engine/text/utf8.h"

namespace qspec {

WordPiece::WordPiece(const Component& from)
    : vocabulary_(from),
      trie_(from, vocabulary_),
      inside_(trie_.next(PieceTrie::kRoot, from.text("continuing_subword_prefix"))),
      unknown_(from, vocabulary_),
      most_characters_(from.natural("max_input_chars_per_word")) {
  from.text("unk_token");  // which this model cannot do without
}

void WordPiece::tokenize(std::string_view piece, std::vector<int32_t>& ids) const {
  const size_t before = ids.size();
  if (utf8_length(piece) <= most_characters_ && cut(piece, ids)) return;
  ids.resize(before);
  ids.push_back(unknown_.id());
}

bool WordPiece::cut(std::string_view word, std::vector<int32_t>& ids) const {
  std::optional<uint32_t> node = PieceTrie::kRoot;
  while (!word.empty()) {
    const std::optional<int32_t> id = node ? take_longest(*node, word) : std::nullopt;
    if (!id) return false;
    ids.push_back(*id);
    node = inside_;
  }
  return true;
}

std::optional<int32_t> WordPiece::take_longest(uint32_t node, std::string_view& text) const {
  std::optional<int32_t> longest;
  size_t bytes = 0;
  for (size_t end = 0; end < text.size();) {
    const auto next = trie_.next(node, static_cast<unsigned char>(text[end]));
    if (!next) break;
    node = *next;
    ++end;
    if (trie_.id_at(node) == PieceTrie::kNone) continue;
    longest = trie_.id_at(node);
    bytes = end;
  }
  text.remove_prefix(bytes);
  return longest;
}

}  // namespace qspec
