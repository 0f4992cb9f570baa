#pragma once

#include <optional>
#include <string>

#include "engine/text/model.h"
#include "engine/text/piece_trie.h"
#include "engine/text/unknown_token.h"

namespace qspec {

// BERT's WordPiece: from the left the longest token that fits, those behind the first with a prefix
// ("##"). A word that cannot be cut to its end is one unknown token.
class WordPiece final : public TokenModel {
 public:
  explicit WordPiece(const Component& from);

  void tokenize(std::string_view piece, std::vector<int32_t>& ids) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }

 private:
  // The longest token that `text` begins with, read on from `node`; its bytes are taken off `text`.
  std::optional<int32_t> take_longest(uint32_t node, std::string_view& text) const;
  bool cut(std::string_view word, std::vector<int32_t>& ids) const;

  Vocabulary vocabulary_;
  PieceTrie trie_;
  std::optional<uint32_t> inside_;  // the node behind the prefix
  UnknownToken unknown_;
  size_t most_characters_;
};

}  // namespace qspec
