#pragma once

#include <vector>

#include "engine/text/pre_tokenizer.h"
#include "engine/text/split.h"

namespace qspec {

// What splits one piece without looking at the others.
class PieceSplitter : public PreTokenizer {
 public:
  void split(std::vector<TextPiece>& pieces, const GrowthLimit& limit) const final;

 private:
  // Appends the parts of `piece`, which it may change on the way.
  virtual void split_piece(TextPiece& piece, std::vector<TextPiece>& parts) const = 0;
};

// Appends the parts of `piece` that are not empty.
void append_parts(const TextPiece& piece, const std::vector<TextSpan>& spans,
                  std::vector<TextPiece>& parts);

// Of from's member "behavior". Without `fallback` it must be there.
SplitBehavior split_behavior(const Component& from, std::string_view fallback = {});

}  // namespace qspec
