// The matching of a Pattern: backtracking with a count of its steps.

#include <string>

#include "bindings/host/pattern.h"
#include "engine/core/error.h"

namespace qspec::lua {
namespace {

// Items between which a match may come back to try again; each takes C stack.
constexpr int kMaxDepth = 200;

}  // namespace

class PatternMatcher {
 public:
  PatternMatcher(const Pattern& pattern, std::string_view subject, Pattern::Match& match,
                 uint64_t& steps)
      : items_(pattern.items_), subject_(subject), match_(match), steps_(steps) {}

  bool matches_at(size_t begin) {
    match_.capture_count = 0;
    match_.begin = begin;
    return rest(0, begin);
  }

 private:
  using Item = Pattern::Item;
  using Kind = Pattern::Kind;
  using Repeat = Pattern::Repeat;

  void step() {
    if (++steps_ <= Pattern::kMaxSteps) return;
    throw Error(ErrorKind::kSpec, "the pattern takes more than " +
                                      std::to_string(Pattern::kMaxSteps) + " steps on a text of " +
                                      std::to_string(subject_.size()) + " bytes")
        .hint("several repeats in a row that match the same text try every way to share it");
  }

  bool fits(const Item& item, size_t at) {
    step();
    return at < subject_.size() && item.set[static_cast<unsigned char>(subject_[at])];
  }

  // Whether the items from `index` on match at `at`.
  bool rest(size_t index, size_t at) {
    for (; index < items_.size(); ++index) {
      const Item& item = items_[index];
      if (item.kind == Kind::kByte && item.repeat == Repeat::kOnce) {
        if (!fits(item, at)) return false;
        ++at;
      } else if (item.kind == Kind::kEndOfSubject) {
        if (at != subject_.size()) return false;
      } else if (item.kind == Kind::kFrontier) {
        if (!is_frontier(item, at)) return false;
      } else if (item.kind == Kind::kSameAs) {
        if (!pass_same(item, at)) return false;
      } else if (item.kind == Kind::kBalanced) {
        if (!pass_balanced(item, at)) return false;
      } else {
        return branch(index, at);
      }
    }
    match_.end = at;
    return true;
  }

  bool branch(size_t index, size_t at) {
    if (depth_ == kMaxDepth) {
      throw Error(ErrorKind::kSpec, "the pattern has more than " + std::to_string(kMaxDepth) +
                                        " repeats and captures in a row");
    }
    ++depth_;
    const bool matched = choice(items_[index], index, at);
    --depth_;
    return matched;
  }

  bool choice(const Item& item, size_t index, size_t at) {
    switch (item.kind) {
      case Kind::kOpen:
        return open(index, at, at);
      case Kind::kPosition:
        return open(index, at, Pattern::kPosition);
      case Kind::kClose:
        return close(item, index, at);
      default:
        return repeated(item, index, at);
    }
  }

  bool open(size_t index, size_t at, size_t end) {
    match_.captures[match_.capture_count++] = {at, end};
    if (rest(index + 1, at)) return true;
    --match_.capture_count;
    return false;
  }

  bool close(const Item& item, size_t index, size_t at) {
    Pattern::Capture& capture = match_.captures[item.capture];
    const size_t before = capture.end;
    capture.end = at;
    if (rest(index + 1, at)) return true;
    capture.end = before;
    return false;
  }

  bool repeated(const Item& item, size_t index, size_t at) {
    if (item.repeat == Repeat::kFewest) return fewest(item, index, at);
    const size_t least = item.repeat == Repeat::kMostOfSome ? 1 : 0;
    const size_t most = item.repeat == Repeat::kOptional ? 1 : subject_.size();
    size_t count = 0;
    while (count < most && fits(item, at + count)) ++count;
    for (; count >= least; --count) {
      if (rest(index + 1, at + count)) return true;
      if (count == 0) return false;
    }
    return false;
  }

  bool fewest(const Item& item, size_t index, size_t at) {
    while (!rest(index + 1, at)) {
      if (!fits(item, at)) return false;
      ++at;
    }
    return true;
  }

  bool is_frontier(const Item& item, size_t at) {
    step();
    const auto byte = [&](size_t i) {
      return i < subject_.size() ? static_cast<unsigned char>(subject_[i]) : 0;
    };
    return !item.set[at == 0 ? 0 : byte(at - 1)] && item.set[byte(at)];
  }

  bool pass_same(const Item& item, size_t& at) {
    const Pattern::Capture& capture = match_.captures[item.capture];
    const std::string_view text = subject_.substr(capture.begin, capture.end - capture.begin);
    steps_ += text.size() / 16;
    step();
    if (!subject_.substr(at).starts_with(text)) return false;
    at += text.size();
    return true;
  }

  bool pass_balanced(const Item& item, size_t& at) {
    if (at >= subject_.size() || subject_[at] != item.open) return false;
    size_t nested = 1;
    for (size_t i = at + 1; i < subject_.size(); ++i) {
      step();
      if (subject_[i] == item.close) {
        if (--nested == 0) {
          at = i + 1;
          return true;
        }
      } else if (subject_[i] == item.open) {
        ++nested;
      }
    }
    return false;
  }

  const std::vector<Item>& items_;
  std::string_view subject_;
  Pattern::Match& match_;
  uint64_t& steps_;
  int depth_ = 0;
};

bool Pattern::search(std::string_view subject, size_t from, Match& match, uint64_t& steps) const {
  PatternMatcher matcher(*this, subject, match, steps);
  for (size_t begin = from; begin <= subject.size(); ++begin) {
    if (matcher.matches_at(begin)) return true;
    if (anchored_) break;
  }
  return false;
}

}  // namespace qspec::lua
