#include "engine/text/split.h"

#include <algorithm>

#include "engine/text/utf8.h"

namespace qspec {
namespace {

// Collects matches that come in order and fills the gaps between them.
class SegmentList {
 public:
  explicit SegmentList(size_t size) : size_(size) {}

  void add(TextSpan match) {
    add_gap(match.begin);
    segments_.push_back({match, true});
    end_ = match.end;
  }

  std::vector<Segment> take() {
    add_gap(size_);
    if (segments_.empty()) segments_.push_back({{0, 0}, false});
    return std::move(segments_);
  }

 private:
  void add_gap(size_t until) {
    if (end_ != until) segments_.push_back({{end_, until}, false});
  }

  size_t size_;
  size_t end_ = 0;
  std::vector<Segment> segments_;
};

std::vector<TextSpan> gaps_only(const std::vector<Segment>& segments) {
  std::vector<TextSpan> pieces;
  for (const Segment& segment : segments) {
    if (!segment.is_match) pieces.push_back(segment.span);
  }
  return pieces;
}

// Joins a segment to the one before it where `joins(segment, the one before)`.
template <class Joins>
std::vector<TextSpan> joined(const std::vector<Segment>& segments, Joins&& joins) {
  std::vector<TextSpan> pieces;
  bool previous_is_match = false;
  for (const Segment& segment : segments) {
    if (!pieces.empty() && joins(segment.is_match, previous_is_match)) {
      pieces.back().begin = std::min(pieces.back().begin, segment.span.begin);
      pieces.back().end = std::max(pieces.back().end, segment.span.end);
    } else {
      pieces.push_back(segment.span);
    }
    previous_is_match = segment.is_match;
  }
  return pieces;
}

bool is_lone_match(bool is_match, bool previous_is_match) {
  return is_match && !previous_is_match;
}

}  // namespace

std::vector<Segment> segments_of_regex(std::string_view text, const Regex& regex) {
  SegmentList segments(text.size());
  if (text.empty()) return segments.take();
  for (const TextSpan& match : regex.find_all(text)) segments.add(match);
  return segments.take();
}

std::vector<Segment> segments_of_literal(std::string_view text, std::string_view literal) {
  SegmentList segments(text.size());
  for (size_t at = text.find(literal); at != text.npos; at = text.find(literal, at)) {
    segments.add({at, at + literal.size()});
    at += literal.size();
  }
  return segments.take();
}

std::vector<Segment> segments_of_characters(std::string_view text, bool (*accepts)(char32_t)) {
  SegmentList segments(text.size());
  for (size_t at = 0; at < text.size();) {
    const Utf8Char found = utf8_at(text, at);
    if (accepts(found.code)) segments.add({at, at + found.bytes});
    at += found.bytes;
  }
  return segments.take();
}

std::vector<TextSpan> split_at(std::vector<Segment> segments, SplitBehavior behavior) {
  switch (behavior) {
    case SplitBehavior::kRemoved:
      return gaps_only(segments);
    case SplitBehavior::kIsolated:
      return joined(segments, [](bool, bool) { return false; });
    case SplitBehavior::kContiguous:
      return joined(segments, [](bool is_match, bool previous) { return is_match == previous; });
    case SplitBehavior::kMergedWithPrevious:
      return joined(segments, is_lone_match);
    case SplitBehavior::kMergedWithNext:
      break;
  }
  std::reverse(segments.begin(), segments.end());
  std::vector<TextSpan> pieces = joined(segments, is_lone_match);
  std::reverse(pieces.begin(), pieces.end());
  return pieces;
}

}  // namespace qspec
