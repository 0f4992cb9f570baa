#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/component.h"
#include "engine/text/split.h"

namespace qspec {

// What a component of tokenizer.json looks for: {"String": ...} or {"Regex": ...}.
class Pattern {
 public:
  // Of from's member "pattern".
  explicit Pattern(const Component& from);

  std::vector<Segment> segments(std::string_view text) const;

 private:
  std::string literal_;
  std::optional<Regex> regex_;
};

}  // namespace qspec
