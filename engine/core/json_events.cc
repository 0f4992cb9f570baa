#include "engine/core/json_events.h"

#include <iterator>

#include "engine/core/error.h"
#include "engine/core/json_place.h"
#include "engine/core/key_stack.h"

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
      if (!error.where().empty()) throw;
      error.at(printable_path(source_.file), source_.offset + current_begin());
      throw;
    }
  }

  // The rest is called by nlohmann. Nothing returns false: what is refused throws.
  bool null() {
    value(JsonToken::kWord);
    events_.on_null();
    return true;
  }
  bool boolean(bool found) {
    value(JsonToken::kWord);
    events_.on_boolean(found);
    return true;
  }
  bool number_integer(int64_t found) {
    value(JsonToken::kNumber);
    events_.on_integer(found);
    return true;
  }
  bool number_unsigned(uint64_t found) {
    value(JsonToken::kNumber);
    events_.on_natural(found);
    return true;
  }
  bool number_float(double found, const std::string& text) {
    value(JsonToken::kNumber);
    events_.on_number(found, text);
    return true;
  }
  bool string(std::string& found) {
    value(JsonToken::kString);
    events_.on_string(found);
    return true;
  }
  bool binary(Json::binary_t&) { return true; }  // does not occur in text
  bool key(std::string& found) {
    token_ = JsonToken::kString;
    keys_.add(found, current_end());
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
      token_ = JsonToken::kNumber;
      throw Error(ErrorKind::kCheckpoint, "number '" + printable(last_token) + "' is out of range");
    }
    std::string_view reason = error.what();
    if (const size_t dash = reason.find("- "); dash != reason.npos) reason.remove_prefix(dash + 2);
    throw Error(ErrorKind::kCheckpoint,
                "not JSON (" + line_and_column(source_.text, at) + "): " + printable(reason))
        .at(printable_path(source_.file), source_.offset + at)
        .hint(json_mistake(source_.text, at));
  }

 private:
  size_t current_end() const { return static_cast<size_t>(position_ - source_.text.data()); }
  size_t current_begin() const { return json_token_begin(source_.text, current_end(), token_); }

  [[noreturn]] void refuse_at(size_t at, std::string message, std::string hint) const {
    throw Error(ErrorKind::kCheckpoint, std::move(message))
        .at(printable_path(source_.file), source_.offset + at)
        .hint(std::move(hint));
  }

  // nlohmann skips a byte order mark, takes a NUL for the end of the text, and words its refusal of
  // no text differently from version to version.
  void refuse_unreadable_bytes() const {
    const std::string_view text = source_.text;
    if (text.size() > limits_.bytes) {
      refuse_at(limits_.bytes,
                "text of " + std::to_string(text.size()) + " bytes, the limit is " +
                    std::to_string(limits_.bytes),
                "");
    }
    if (text.empty()) {
      refuse_at(0, "text is empty, need JSON", "was it cut off in a download or a copy?");
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

  void value(JsonToken token) {
    token_ = token;
    if (++nodes_ <= limits_.nodes) return;
    throw Error(ErrorKind::kCheckpoint,
                "more than " + std::to_string(limits_.nodes) + " values in one text");
  }

  void open() {
    value(JsonToken::kBracket);
    if (keys_.depth() >= limits_.depth) {
      throw Error(ErrorKind::kCheckpoint,
                  "nested deeper than " + std::to_string(limits_.depth) + " levels");
    }
    keys_.open();
  }

  void close() {
    token_ = JsonToken::kBracket;
    if (const auto repetition = keys_.close()) refuse_repetition(*repetition);
  }

  [[noreturn]] void refuse_repetition(const KeyStack::Repetition& repetition) const {
    const auto begin = [&](size_t end) {
      return json_token_begin(source_.text, end, JsonToken::kString);
    };
    refuse_at(begin(repetition.second_place),
              "key '" + printable(repetition.key) + "' occurs twice in one object, first at byte " +
                  std::to_string(source_.offset + begin(repetition.first_place)),
              "");
  }

  JsonText source_;
  JsonLimits limits_;
  JsonEvents& events_;
  const char* position_ = nullptr;
  JsonToken token_ = JsonToken::kBracket;
  KeyStack keys_;  // each placed where its token ends
  size_t nodes_ = 0;
};

}  // namespace

void read_json_events(const JsonText& source, const JsonLimits& limits, JsonEvents& events) {
  StrictReader(source, limits, events).run();
}

}  // namespace qspec
