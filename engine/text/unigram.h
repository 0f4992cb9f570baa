#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "engine/text/byte_tokens.h"
#include "engine/text/model.h"
#include "engine/text/piece_trie.h"

namespace qspec {

// The unigram language model of SentencePiece (Kudo 2018, arXiv:1804.10959): of all ways to cut a
// piece into tokens, the one of the highest sum of scores, found by Viterbi's algorithm. Linear in
// the length of a piece.
class Unigram final : public TokenModel {
 public:
  explicit Unigram(const Component& from);

  void tokenize(std::string_view piece, std::vector<int32_t>& ids) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }

 private:
  // The best way to cut the text up to a byte: its last token and its score.
  struct Ending {
    double score = 0;
    size_t begin = kUnreached;
    int32_t id = 0;
  };
  static constexpr size_t kUnreached = SIZE_MAX;

  std::vector<Ending> best_endings(std::string_view piece) const;
  void extend(std::string_view piece, size_t begin, std::vector<Ending>& endings) const;
  int32_t unknown() const;
  void append_unknown(std::string_view text, std::vector<int32_t>& ids) const;

  Vocabulary vocabulary_;
  std::vector<double> scores_;  // by id
  PieceTrie trie_;
  ByteTokens byte_tokens_;
  std::optional<int32_t> unknown_;
  double unknown_score_;  // of one character that has no token
  Error no_unknown_;
};

}  // namespace qspec
