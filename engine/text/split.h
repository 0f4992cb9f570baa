#pragma once

#include <string_view>
#include <vector>

#include "engine/text/regex.h"

namespace qspec {

// Text from end to end: what a pattern matched, and the gaps between.
struct Segment {
  TextSpan span;
  bool is_match;
};

// Each covers all of `text`, in order; an empty text is one gap.
std::vector<Segment> segments_of_regex(std::string_view text, const Regex& regex);
std::vector<Segment> segments_of_literal(std::string_view text, std::string_view literal);
// One match for each character that `accepts`.
std::vector<Segment> segments_of_characters(std::string_view text, bool (*accepts)(char32_t));

// Where a match goes when text is split at it.
enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

// The pieces that remain, in order. Pieces may be empty where a match was.
std::vector<TextSpan> split_at(std::vector<Segment> segments, SplitBehavior behavior);

}  // namespace qspec
