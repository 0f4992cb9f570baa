#include "bindings/host/pattern.h"

#include <string>

#include "engine/core/error.h"

namespace qspec::lua {
namespace {

constexpr std::string_view kMagic = "^$*+?.([%-";

using Set = std::bitset<256>;

[[noreturn]] void malformed(const std::string& what) {
  throw Error(ErrorKind::kSpec, "malformed pattern: " + what);
}

bool between(int byte, char first, char last) {
  return byte >= first && byte <= last;
}

// Membership in the class that a lower-case letter names; none for other letters. ASCII only,
// whatever the locale.
bool in_class(char letter, int byte) {
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
    default:
      return letter == 'z' && byte == 0;
  }
}

// What each "%letter" stands for.
std::array<Set, 128> make_escapes() {
  std::array<Set, 128> escapes;
  for (int letter = 0; letter < 128; ++letter) {
    const char lower = static_cast<char>(letter | 0x20);
    for (int byte = 0; byte < 256; ++byte) escapes[letter][byte] = in_class(lower, byte);
    if (!between(lower, 'a', 'z') || escapes[letter].none()) {
      escapes[letter].reset().set(letter);
    } else if (between(letter, 'A', 'Z')) {
      escapes[letter].flip();
    }
  }
  return escapes;
}

Set escaped(char letter) {
  static const std::array<Set, 128> escapes = make_escapes();
  const auto index = static_cast<unsigned char>(letter);
  return index < 128 ? escapes[index] : Set().set(index);
}

}  // namespace

class PatternParser {
 public:
  PatternParser(std::string_view text, bool caret_is_plain, Pattern& pattern)
      : text_(text), pattern_(pattern) {
    pattern_.items_.reserve(text_.size());
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

Pattern::Pattern(std::string_view text, bool caret_is_plain) {
  PatternParser(text, caret_is_plain, *this).parse();
}

bool Pattern::is_plain(std::string_view text) {
  return text.find_first_of(kMagic) == std::string_view::npos;
}

}  // namespace qspec::lua
