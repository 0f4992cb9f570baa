#pragma once

#include <string>

#include "engine/text/byte_tokens.h"
#include "engine/text/merges.h"
#include "engine/text/model.h"
#include "engine/text/unknown_token.h"

namespace qspec {

// Byte-pair encoding: a piece starts as its characters, and the pair of lowest rank is joined, the
// leftmost first, until none is left. n log n in the length of a piece.
class Bpe final : public TokenModel {
 public:
  explicit Bpe(const Component& from);

  void tokenize(std::string_view piece, std::vector<int32_t>& ids) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }

 private:
  // One token of a piece, in a list through the array.
  struct Symbol {
    int32_t id;
    int32_t previous;
    int32_t next;
    bool is_merged_away;
  };

  std::vector<Symbol> characters(std::string_view piece) const;
  void merge_all(std::vector<Symbol>& symbols) const;

  Vocabulary vocabulary_;
  std::string prefix_;  // of each character but the first
  std::string suffix_;  // of the last character
  Merges merges_;
  UnknownToken unknown_;
  ByteTokens byte_tokens_;
  bool fuses_unknown_;
  bool ignores_merges_;
};

}  // namespace qspec
