#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace qspec {

// Bytes [begin, end) of a text.
struct TextSpan {
  size_t begin;
  size_t end;
  bool operator==(const TextSpan&) const = default;
};

// A compiled regular expression over UTF-8, run by Oniguruma: the engine that tokenizer.json files
// are written for. Safe to use from several threads.
//
// A search that needs too many steps or too much memory throws Error(kCheckpoint) with the pattern
// and the offset: "no match" would silently change tokens.
class Regex {
 public:
  enum class Syntax {
    kOniguruma,  // of tokenizer.json
    kPython,     // of Python's re
  };

  // Throws Error(kUnsupported), without a place, for what does not compile.
  explicit Regex(std::string pattern, Syntax syntax = Syntax::kOniguruma);
  ~Regex();
  Regex(Regex&&) noexcept;

  const std::string& pattern() const;

  // Every match from left to right, none overlapping. A match of no characters counts, but not
  // where the match before it ended. `text` is UTF-8.
  std::vector<TextSpan> find_all(std::string_view text) const;

  // Whether a match begins at byte 0, wherever it ends.
  bool matches_start(std::string_view text) const;

 private:
  struct Compiled;
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace qspec
