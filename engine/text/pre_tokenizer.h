#pragma once

#include <memory>
#include <vector>

#include "engine/text/component.h"
#include "engine/text/normalizer.h"

namespace qspec {

// Splits text into the pieces that the model sees, and may rewrite them. UTF-8 in, UTF-8 out.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  // Replaces each piece by its parts, in order; none of them is empty.
  virtual void split(std::vector<TextPiece>& pieces, const GrowthLimit& limit) const = 0;
};

std::unique_ptr<const PreTokenizer> make_pre_tokenizer(const Component& from);

}  // namespace qspec
