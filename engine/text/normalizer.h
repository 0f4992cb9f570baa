#pragma once

#include <memory>
#include <string>

#include "engine/text/component.h"
#include "engine/text/growth.h"

namespace qspec {

// A piece of text on its way to the model.
struct TextPiece {
  std::string text;
  // Its first character stems from the first of the whole input. (Where that has become several and
  // they are split, the library says so of each of them, and here it is only the first.)
  bool at_start;
};

// Rewrites a piece of text before it is split. UTF-8 in, UTF-8 out.
class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual void normalize(TextPiece& piece, const GrowthLimit& limit) const = 0;
};

std::unique_ptr<const Normalizer> make_normalizer(const Component& from);

}  // namespace qspec
