#include "engine/text/piece_splitter.h"

#include <array>
#include <utility>

namespace qspec {

void PieceSplitter::split(std::vector<TextPiece>& pieces, const GrowthLimit& limit) const {
  std::vector<TextPiece> parts;
  parts.reserve(pieces.size());
  for (TextPiece& piece : pieces) split_piece(piece, parts);
  size_t bytes = 0;
  for (const TextPiece& part : parts) bytes += part.text.size();
  limit.check(bytes);
  pieces = std::move(parts);
}

void append_parts(const TextPiece& piece, const std::vector<TextSpan>& spans,
                  std::vector<TextPiece>& parts) {
  for (const TextSpan& span : spans) {
    if (span.begin == span.end) continue;
    parts.push_back(
        {piece.text.substr(span.begin, span.end - span.begin), piece.at_start && span.begin == 0});
  }
}

SplitBehavior split_behavior(const Component& from, std::string_view fallback) {
  static constexpr std::array<std::pair<std::string_view, SplitBehavior>, 5> kBehaviors = {{
      {"Removed", SplitBehavior::kRemoved},
      {"Isolated", SplitBehavior::kIsolated},
      {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
      {"MergedWithNext", SplitBehavior::kMergedWithNext},
      {"Contiguous", SplitBehavior::kContiguous},
  }};
  const std::string name =
      fallback.empty() ? from.text("behavior") : from.text("behavior", fallback);
  std::vector<std::string> known;
  for (const auto& [key, behavior] : kBehaviors) {
    if (key == name) return behavior;
    known.emplace_back(key);
  }
  throw from.unknown("split behavior", name, known);
}

}  // namespace qspec
