#include "engine/core/json_events.h"

#include <cctype>
#include <cstring>
#include <iterator>
#include <unordered_map>
#include <vector>

#include "engine/core/error.h"

namespace qspec {
namespace {

// An iterator whose copies share one position. nlohmann's events carry none, so the reader looks
// at it here.
class Cursor {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  explicit Cursor(const char** position) : position_(position) {}
  const char& operator*() const { return **position_; }
  Cursor& operator++() {
    ++*position_;
    return *this;
  }
  bool operator==(const Cursor& other) const { return *position_ == *other.position_; }
  bool operator!=(const Cursor& other) const { return *position_ != *other.position_; }

 private:
  const char** position_;
};

enum class Token { kBracket, kWord, kNumber, kString };

bool is_number_byte(char byte) {
  return (byte >= '0' && byte <= '9') || std::strchr("+-.eE", byte) != nullptr;
}

// Where the string that ends before `end` begins: at the nearest quote that no backslash escapes.
size_t string_begin(std::string_view text, size_t end) {
  size_t begin = end - 2;
  while (begin > 0) {
    size_t backslashes = 0;
    while (backslashes < begin && text[begin - 1 - backslashes] == '\\') ++backslashes;
    if (text[begin] == '"' && backslashes % 2 == 0) break;
    begin -= 1;
  }
  return begin;
}

size_t token_begin(std::string_view text, size_t end, Token token) {
  size_t begin = end;
  switch (token) {
    case Token::kBracket:
      return end - 1;
    case Token::kString:
      return string_begin(text, end);
    case Token::kNumber:
      // The lexer has read one byte too many, unless the text ended.
      if (!is_number_byte(text[begin - 1])) --begin;
      while (begin > 0 && is_number_byte(text[begin - 1])) --begin;
      return begin;
    case Token::kWord:
      while (begin > 0 && std::isalpha(static_cast<unsigned char>(text[begin - 1])) != 0) --begin;
      return begin;
  }
  return begin;
}

std::string line_and_column(std::string_view text, size_t at) {
  size_t line = 1;
  size_t line_begin = 0;
  for (size_t i = 0; i < at && i < text.size(); ++i) {
    if (text[i] != '\n') continue;
    ++line;
    line_begin = i + 1;
  }
  return "line " + std::to_string(line) + ", column " + std::to_string(at - line_begin + 1);
}

std::string likely_cause(std::string_view text, size_t at) {
  if (at >= text.size()) return "the text ends too early: cut off in a download or a copy?";
  const char found = text[at];
  if (found == 'N' || found == 'I') return "python writes NaN and Infinity; JSON has neither";
  if (found == '/' || found == '#') return "JSON has no comments";
  if (found == '\'') return "JSON strings stand between double quotes";
  if (found == '}' || found == ']') {
    const size_t before =
        at == 0 ? std::string_view::npos : text.find_last_not_of(" \t\r\n", at - 1);
    if (before != std::string_view::npos && text[before] == ',')
      return "a comma before it is one too many";
  }
  return "";
}

// nlohmann's SAX interface on one side, JsonEvents on the other, the strict rules between them.
class StrictReader {
 public:
  StrictReader(const JsonText& source, const JsonLimits& limits, JsonEvents& events)
      : source_(source), limits_(limits), events_(events) {}

  void run() {
    refuse_unreadable_bytes();
    const char* end = source_.text.data() + source_.text.size();
    position_ = source_.text.data();
    try {
      Json::sax_parse(Cursor(&position_), Cursor(&end), this);
    } catch (Error& error) {
      if (error.where().empty())
        error.at(printable_path(source_.file), source_.offset + current_begin());
      throw;
    }
  }

  // The rest is called by nlohmann. Nothing returns false: what is refused throws.
  bool null() {
    value(Token::kWord);
    events_.on_null();
    return true;
  }
  bool boolean(bool found) {
    value(Token::kWord);
    events_.on_boolean(found);
    return true;
  }
  bool number_integer(int64_t found) {
    value(Token::kNumber);
    events_.on_integer(found);
    return true;
  }
  bool number_unsigned(uint64_t found) {
    value(Token::kNumber);
    events_.on_natural(found);
    return true;
  }
  bool number_float(double found, const std::string& text) {
    value(Token::kNumber);
    events_.on_number(found, text);
    return true;
  }
  bool string(std::string& found) {
    value(Token::kString);
    events_.on_string(found);
    return true;
  }
  bool binary(Json::binary_t&) { return true; }  // does not occur in text
  bool key(std::string& found) {
    token_ = Token::kString;
    refuse_second(found);
    events_.on_key(found);
    return true;
  }
  bool start_object(size_t) {
    open();
    events_.on_start_object();
    return true;
  }
  bool end_object() {
    close();
    events_.on_end_object();
    return true;
  }
  bool start_array(size_t) {
    open();
    events_.on_start_array();
    return true;
  }
  bool end_array() {
    close();
    events_.on_end_array();
    return true;
  }
  [[noreturn]] bool parse_error(size_t position, const std::string& last_token,
                                const nlohmann::detail::exception& error) {
    const size_t at = position == 0 ? 0 : position - 1;
    if (error.id == 406) {
      token_ = Token::kNumber;
      throw Error(ErrorKind::kCheckpoint, "number '" + printable(last_token) + "' is out of range");
    }
    std::string_view reason = error.what();
    if (const size_t dash = reason.find("- "); dash != reason.npos) reason.remove_prefix(dash + 2);
    throw Error(ErrorKind::kCheckpoint,
                "not JSON (" + line_and_column(source_.text, at) + "): " + printable(reason))
        .at(printable_path(source_.file), source_.offset + at)
        .hint(likely_cause(source_.text, at));
  }

 private:
  // Where the key that is the map's index ends.
  using Keys = std::unordered_map<std::string, size_t>;

  size_t current_end() const { return static_cast<size_t>(position_ - source_.text.data()); }
  size_t current_begin() const { return token_begin(source_.text, current_end(), token_); }

  [[noreturn]] void refuse_at(size_t at, std::string message, std::string hint) const {
    throw Error(ErrorKind::kCheckpoint, std::move(message))
        .at(printable_path(source_.file), source_.offset + at)
        .hint(std::move(hint));
  }

  // nlohmann skips a byte order mark and takes a NUL for the end of the text.
  void refuse_unreadable_bytes() const {
    const std::string_view text = source_.text;
    if (text.size() > limits_.bytes) {
      refuse_at(limits_.bytes,
                "text of " + std::to_string(text.size()) + " bytes, the limit is " +
                    std::to_string(limits_.bytes),
                "");
    }
    if (text.starts_with("\xEF\xBB\xBF")) {
      refuse_at(0, "text begins with a byte order mark", "save the file as UTF-8 without BOM");
    }
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
      refuse_at(0, "text is UTF-16, need UTF-8", "save the file as UTF-8 without BOM");
    }
    if (const size_t at = text.find('\0'); at != text.npos) {
      refuse_at(at, "text holds a NUL byte", at < 2 ? "is the file UTF-16?" : "");
    }
  }

  void value(Token token) {
    token_ = token;
    if (++nodes_ <= limits_.nodes) return;
    throw Error(ErrorKind::kCheckpoint,
                "more than " + std::to_string(limits_.nodes) + " values in one text");
  }

  void open() {
    value(Token::kBracket);
    if (keys_.size() >= limits_.depth) {
      throw Error(ErrorKind::kCheckpoint,
                  "nested deeper than " + std::to_string(limits_.depth) + " levels");
    }
    keys_.emplace_back();
  }

  void close() {
    token_ = Token::kBracket;
    keys_.pop_back();
  }

  void refuse_second(const std::string& key) {
    const auto [first, is_new] = keys_.back().try_emplace(key, current_end());
    if (is_new) return;
    const size_t first_begin = token_begin(source_.text, first->second, Token::kString);
    throw Error(ErrorKind::kCheckpoint, "key '" + printable(key) +
                                            "' occurs twice in one object, first at byte " +
                                            std::to_string(source_.offset + first_begin));
  }

  JsonText source_;
  JsonLimits limits_;
  JsonEvents& events_;
  const char* position_ = nullptr;
  Token token_ = Token::kBracket;
  std::vector<Keys> keys_;  // one for each open object or array
  size_t nodes_ = 0;
};

}  // namespace

void read_json_events(const JsonText& source, const JsonLimits& limits, JsonEvents& events) {
  StrictReader(source, limits, events).run();
}

}  // namespace qspec
