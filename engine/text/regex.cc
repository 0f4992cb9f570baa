#include "engine/text/regex.h"

#include <oniguruma.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>

#include "engine/core/error.h"
#include "engine/text/utf8.h"

namespace qspec {
namespace {

constexpr size_t kLongestPattern = 32768;     // bytes; the longest in use are under 500
constexpr unsigned kDeepestPattern = 250;     // nested groups; the parser recurses
constexpr unsigned long kSteps = 50'000'000;  // about half a second
constexpr unsigned long kStepsPerByte = 64;   // of the text: a scan of a long text is no fault
constexpr auto kSeconds = std::chrono::seconds(1);  // of the processor, for all matches
constexpr auto kSecondsPerByte =
    std::chrono::microseconds(2);              // of a text; ten times what is usual
constexpr unsigned kStackEntries = 16u << 20;  // one a character that a greedy repeat takes

const OnigUChar* bytes(std::string_view text) {
  return reinterpret_cast<const OnigUChar*>(text.data());
}

std::string error_text(int code, const OnigErrorInfo* info = nullptr) {
  OnigUChar text[ONIG_MAX_ERROR_MESSAGE_LEN] = {};
  if (info != nullptr) {
    onig_error_code_to_str(text, code, info);
  } else {
    onig_error_code_to_str(text, code);
  }
  return printable(reinterpret_cast<const char*>(text));
}

void initialize_once() {
  static const bool done = [] {
    OnigEncoding utf8 = ONIG_ENCODING_UTF8;
    onig_initialize(&utf8, 1);
    onig_set_parse_depth_limit(kDeepestPattern);
    return true;
  }();
  (void)done;
}

// The syntax without callouts and verbs: code in a pattern is refused by the compiler.
OnigSyntaxType syntax_without_callouts(const OnigSyntaxType& base) {
  OnigSyntaxType syntax = base;
  syntax.op2 &= ~(ONIG_SYN_OP2_QMARK_BRACE_CALLOUT_CONTENTS | ONIG_SYN_OP2_ASTERISK_CALLOUT_NAME);
  return syntax;
}

std::chrono::nanoseconds processor_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// Ends the search for all matches of a text: each may stay within its steps and all of them still
// take hours, and a scan without a way back counts no steps. The wall's clock is the cheap one to
// read; it runs ahead of the processor's, which is not charged for other programs.
class Deadline {
 public:
  explicit Deadline(size_t bytes)
      : limit_(kSeconds + kSecondsPerByte * bytes),
        began_(processor_time()),
        next_look_(std::chrono::steady_clock::now() + limit_) {}

  void check(size_t at, size_t bytes) {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_look_) return;
    const auto spent = processor_time() - began_;
    if (spent < limit_) {
      next_look_ = now + (limit_ - spent);
      return;
    }
    throw Error(ErrorKind::kCheckpoint, "the search takes too long, at byte " + std::to_string(at) +
                                            " of " + std::to_string(bytes));
  }

 private:
  std::chrono::nanoseconds limit_;
  std::chrono::nanoseconds began_;
  std::chrono::steady_clock::time_point next_look_;
};

// What one search writes into, and its limits.
class Search {
 public:
  Search(regex_t* regex, std::string_view text)
      : regex_(regex),
        text_(text),
        deadline_(text.size()),
        region_(onig_region_new(), RegionDeleter()),
        limits_(onig_new_match_param(), onig_free_match_param) {
    if (region_ == nullptr || limits_ == nullptr) throw std::bad_alloc();
    onig_initialize_match_param(limits_.get());
    onig_set_match_stack_limit_size_of_match_param(limits_.get(), kStackEntries);
    const unsigned long steps = kSteps + kStepsPerByte * text.size();
    onig_set_retry_limit_in_match_of_match_param(limits_.get(), steps);
    onig_set_retry_limit_in_search_of_match_param(limits_.get(), steps);
  }

  // The first match that begins at or behind `from`.
  std::optional<TextSpan> next(size_t from) {
    const OnigUChar* begin = bytes(text_);
    const OnigUChar* end = begin + text_.size();
    deadline_.check(from, text_.size());
    const int found = onig_search_with_param(regex_, begin, end, begin + from, end, region_.get(),
                                             ONIG_OPTION_NONE, limits_.get());
    return checked(found, from);
  }

  std::optional<TextSpan> at_start() {
    const OnigUChar* begin = bytes(text_);
    const int length = onig_match_with_param(regex_, begin, begin + text_.size(), begin,
                                             region_.get(), ONIG_OPTION_NONE, limits_.get());
    return checked(length, 0);
  }

 private:
  struct RegionDeleter {
    void operator()(OnigRegion* region) const { onig_region_free(region, 1); }
  };

  std::optional<TextSpan> checked(int result, size_t from) const {
    if (result == ONIG_MISMATCH) return std::nullopt;
    if (result < 0) {
      throw Error(ErrorKind::kCheckpoint, error_text(result) + ", searching from byte " +
                                              std::to_string(from) + " of " +
                                              std::to_string(text_.size()));
    }
    const TextSpan match{static_cast<size_t>(region_->beg[0]),
                         static_cast<size_t>(region_->end[0])};
    // \K inside a look-behind moves the beginning back.
    if (match.begin < from || match.end < match.begin) {
      throw Error(ErrorKind::kCheckpoint, "matches overlap at byte " + std::to_string(match.begin));
    }
    return match;
  }

  regex_t* regex_;
  std::string_view text_;
  Deadline deadline_;
  std::unique_ptr<OnigRegion, RegionDeleter> region_;
  std::unique_ptr<OnigMatchParam, decltype(&onig_free_match_param)> limits_;
};

// Runs `search`, whose errors do not know the pattern.
template <class Body>
auto naming_pattern(const std::string& pattern, Body&& search) {
  try {
    return search();
  } catch (const Error& error) {
    throw Error(error.kind(), "regex '" + printable(pattern) + "': " + error.message())
        .hint(error.hint());
  }
}

}  // namespace

struct Regex::Compiled {
  std::string pattern;
  OnigSyntaxType syntax;  // the regex refers to it
  regex_t* regex = nullptr;

  ~Compiled() { onig_free(regex); }
};

Regex::Regex(std::string pattern, Syntax syntax) {
  initialize_once();
  if (pattern.size() > kLongestPattern) {
    throw Error(ErrorKind::kUnsupported, "regex of " + std::to_string(pattern.size()) +
                                             " bytes, the limit is " +
                                             std::to_string(kLongestPattern));
  }
  auto compiled = std::make_unique<Compiled>();
  compiled->pattern = std::move(pattern);
  compiled->syntax =
      syntax_without_callouts(syntax == Syntax::kPython ? OnigSyntaxPython : *OnigDefaultSyntax);
  const OnigUChar* begin = bytes(compiled->pattern);
  OnigErrorInfo info;
  const int code = onig_new(&compiled->regex, begin, begin + compiled->pattern.size(),
                            ONIG_OPTION_NONE, ONIG_ENCODING_UTF8, &compiled->syntax, &info);
  if (code != ONIG_NORMAL) {
    throw Error(ErrorKind::kUnsupported, "regex '" + printable(compiled->pattern) +
                                             "' does not compile: " + error_text(code, &info));
  }
  compiled_ = std::move(compiled);
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;

const std::string& Regex::pattern() const {
  return compiled_->pattern;
}

std::vector<TextSpan> Regex::find_all(std::string_view text) const {
  return naming_pattern(compiled_->pattern, [&] {
    std::vector<TextSpan> matches;
    Search search(compiled_->regex, text);
    size_t from = 0;
    while (from <= text.size()) {
      const std::optional<TextSpan> match = search.next(from);
      if (!match) break;
      const bool is_empty = match->begin == match->end;
      if (is_empty && !matches.empty() && matches.back().end == match->end) {
        from += from < text.size() ? utf8_at(text, from).bytes : 1;
        continue;
      }
      matches.push_back(*match);
      from = match->end;
    }
    return matches;
  });
}

bool Regex::matches_start(std::string_view text) const {
  return naming_pattern(compiled_->pattern,
                        [&] { return Search(compiled_->regex, text).at_start().has_value(); });
}

}  // namespace qspec
