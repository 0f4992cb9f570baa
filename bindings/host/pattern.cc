#include "bindings/host/pattern.h"

#include <string>

#include "engine/core/error.h"

namespace qspec::lua {
namespace {

constexpr std::string_view kMagic = "^$*+?.([%-";
// Items between which a match may come back to try again; each takes C stack.
constexpr int kMaxDepth = 200;

using Set = std::bitset<256>;

[[noreturn]] void malformed(const std::string& what) {
  throw Error(ErrorKind::kSpec, "malformed pattern: " + what);
}

bool between(int byte, char first, char last) {
  return byte >= first && byte <= last;
}

// Membership in the class that a lower-case letter names; nullopt when it names none. ASCII only,
// whatever the locale.
std::optional<bool> in_class(char letter, int byte) {
  const bool digit = between(byte, '0', '9');
  const bool lower = between(byte, 'a', 'z');
  const bool upper = between(byte, 'A', 'Z');
  const bool visible = between(byte, '!', '~');
  switch (letter) {
    case 'a':
      return lower || upper;
    case 'c':
      return byte < 0x20 || byte == 0x7F;
    case 'd':
      return digit;
    case 'g':
      return visible;
    case 'l':
      return lower;
    case 'p':
      return visible && !digit && !lower && !upper;
    case 's':
      return byte == ' ' || between(byte, '\t', '\r');
    case 'u':
      return upper;
    case 'w':
      return digit || lower || upper;
    case 'x':
      return digit || between(byte, 'a', 'f') || between(byte, 'A', 'F');
    case 'z':
      return byte == 0;
    default:
      return std::nullopt;
  }
}

// What "%letter" stands for.
Set escaped(char letter) {
  Set set;
  const char lower = static_cast<char>(letter | 0x20);
  const bool is_letter = between(lower, 'a', 'z');
  if (!is_letter || !in_class(lower, 0)) {
    set.set(static_cast<unsigned char>(letter));
    return set;
  }
  for (int byte = 0; byte < 256; ++byte) set[byte] = *in_class(lower, byte);
  return between(letter, 'A', 'Z') ? ~set : set;
}

}  // namespace

class PatternParser {
 public:
  PatternParser(std::string_view text, bool caret_is_plain, Pattern& pattern)
      : text_(text), pattern_(pattern) {
    if (!caret_is_plain && text_.starts_with('^')) {
      pattern_.anchored_ = true;
      at_ = 1;
    }
  }

  void parse() {
    while (at_ < text_.size()) item();
    if (!open_.empty()) malformed("unfinished capture");
  }

 private:
  using Item = Pattern::Item;
  using Kind = Pattern::Kind;
  using Repeat = Pattern::Repeat;

  char take(const char* missing) {
    if (at_ >= text_.size()) malformed(missing);
    return text_[at_++];
  }

  Item& add(Kind kind) {
    pattern_.items_.emplace_back().kind = kind;
    return pattern_.items_.back();
  }

  void item() {
    const char next = text_[at_];
    if (next == '(') return open();
    if (next == ')') return close();
    if (next == '$' && at_ + 1 == text_.size()) {
      ++at_;
      add(Kind::kEndOfSubject);
      return;
    }
    if (next == '%' && at_ + 1 < text_.size() && escape_item(text_[at_ + 1])) return;
    bytes();
  }

  void open() {
    ++at_;
    if (captures_ == Pattern::kMaxCaptures) malformed("more than 32 captures");
    if (at_ < text_.size() && text_[at_] == ')') {
      ++at_;
      ++captures_;
      add(Kind::kPosition);
      return;
    }
    open_.push_back(captures_++);
    add(Kind::kOpen);
  }

  void close() {
    ++at_;
    if (open_.empty()) malformed("')' closes nothing");
    add(Kind::kClose).capture = open_.back();
    open_.pop_back();
  }

  // The items that begin with "%" and are no byte; false when this is not one.
  bool escape_item(char letter) {
    if (letter == 'b') {
      at_ += 2;
      Item& item = add(Kind::kBalanced);
      item.open = take("'%b' wants two characters");
      item.close = take("'%b' wants two characters");
      return true;
    }
    if (letter == 'f') {
      at_ += 2;
      if (take("'[' missing after '%f'") != '[') malformed("'[' missing after '%f'");
      add(Kind::kFrontier).set = set();
      return true;
    }
    return between(letter, '0', '9') && same_as(letter - '1');
  }

  bool same_as(int capture) {
    at_ += 2;
    bool known = capture >= 0 && capture < captures_;
    for (const uint8_t open : open_) known = known && open != capture;
    if (!known) malformed("'%" + std::to_string(capture + 1) + "' is no finished capture");
    add(Kind::kSameAs).capture = static_cast<uint8_t>(capture);
    return true;
  }

  void bytes() {
    Item item;
    const char next = text_[at_++];
    if (next == '[') {
      item.set = set();
    } else if (next == '.') {
      item.set.set();
    } else if (next == '%') {
      item.set = escaped(take("it ends with '%'"));
    } else {
      item.set.set(static_cast<unsigned char>(next));
    }
    item.repeat = repeat();
    pattern_.items_.push_back(item);
  }

  Repeat repeat() {
    if (at_ >= text_.size()) return Repeat::kOnce;
    switch (text_[at_++]) {
      case '?':
        return Repeat::kOptional;
      case '*':
        return Repeat::kMost;
      case '+':
        return Repeat::kMostOfSome;
      case '-':
        return Repeat::kFewest;
      default:
        --at_;
        return Repeat::kOnce;
    }
  }

  // What stands between "[" and "]"; a "]" that comes first is a member.
  Set set() {
    const bool negated = at_ < text_.size() && text_[at_] == '^';
    if (negated) ++at_;
    Set set;
    do {
      member(set);
    } while (at_ >= text_.size() || text_[at_] != ']');
    ++at_;
    return negated ? ~set : set;
  }

  void member(Set& set) {
    const char first = take("']' is missing");
    if (first == '%') {
      set |= escaped(take("']' is missing"));
    } else if (at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']') {
      const auto last = static_cast<unsigned char>(text_[at_ + 1]);
      for (int byte = static_cast<unsigned char>(first); byte <= last; ++byte) set.set(byte);
      at_ += 2;
    } else {
      set.set(static_cast<unsigned char>(first));
    }
  }

  std::string_view text_;
  Pattern& pattern_;
  size_t at_ = 0;
  uint8_t captures_ = 0;
  std::vector<uint8_t> open_;
};

class PatternMatcher {
 public:
  PatternMatcher(const Pattern& pattern, std::string_view subject, uint64_t& steps)
      : items_(pattern.items_), subject_(subject), steps_(steps) {}

  bool matches_at(size_t begin) {
    match_.capture_count = 0;
    match_.begin = begin;
    return rest(0, begin);
  }

  const Pattern::Match& match() const { return match_; }

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
        return open(index, at, false);
      case Kind::kPosition:
        return open(index, at, true);
      case Kind::kClose:
        return close(item, index, at);
      default:
        return repeated(item, index, at);
    }
  }

  bool open(size_t index, size_t at, bool is_position) {
    match_.captures[match_.capture_count++] = {at, at, is_position};
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
  uint64_t& steps_;
  Pattern::Match match_;
  int depth_ = 0;
};

Pattern::Pattern(std::string_view text, bool caret_is_plain) {
  PatternParser(text, caret_is_plain, *this).parse();
}

std::optional<Pattern::Match> Pattern::search(std::string_view subject, size_t from,
                                              uint64_t& steps) const {
  PatternMatcher matcher(*this, subject, steps);
  for (size_t begin = from; begin <= subject.size(); ++begin) {
    if (matcher.matches_at(begin)) return matcher.match();
    if (anchored_) break;
  }
  return std::nullopt;
}

bool Pattern::is_plain(std::string_view text) {
  return text.find_first_of(kMagic) == std::string_view::npos;
}

}  // namespace qspec::lua
