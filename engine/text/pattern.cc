#include "engine/text/pattern.h"

namespace qspec {
namespace {

Regex compile(const Component& from, const std::string& pattern) {
  try {
    return Regex(pattern);
  } catch (const Error& error) {
    throw from.refusal(error.kind(), error.message(), "Regex");
  }
}

}  // namespace

Pattern::Pattern(const Component& from) {
  const Component pattern = from.object("pattern");
  if (pattern.has("Regex")) {
    regex_.emplace(compile(pattern, pattern.text("Regex")));
    return;
  }
  literal_ = pattern.text("String");
  // Nothing is found everywhere: leave that case to the engine that says where.
  if (literal_.empty()) regex_.emplace(compile(pattern, ""));
}

std::vector<Segment> Pattern::segments(std::string_view text) const {
  return regex_ ? segments_of_regex(text, *regex_) : segments_of_literal(text, literal_);
}

}  // namespace qspec
