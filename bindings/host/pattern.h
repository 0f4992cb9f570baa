#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace qspec::lua {

// A Lua pattern (reference manual 5.1, section 5.4.1, and %f, %g of LuaJIT), matched with a bound
// on its work: the backtracking of a short pattern can take longer than anyone waits.
class Pattern {
 public:
  static constexpr size_t kMaxCaptures = 32;
  static constexpr uint64_t kMaxSteps = 10'000'000;

  static constexpr size_t kPosition = SIZE_MAX;

  struct Capture {
    size_t begin;
    size_t end;  // kPosition for "()", which captures where it stands
  };

  // Offsets into the subject. Left as it was where nothing matched.
  struct Match {
    size_t begin;
    size_t end;
    size_t capture_count;
    std::array<Capture, kMaxCaptures> captures;
  };

  // "^" at the start anchors unless `caret_is_plain`. Throws Error(kSpec) when malformed.
  explicit Pattern(std::string_view text, bool caret_is_plain = false);

  bool is_anchored() const { return anchored_; }

  // Finds the first match that begins at or after `from`; an anchored one begins at `from`. Adds
  // its work to `steps` and throws Error(kSpec) when that passes kMaxSteps.
  bool search(std::string_view subject, size_t from, Match& match, uint64_t& steps) const;

  // Whether `text` has no character that means anything but itself.
  static bool is_plain(std::string_view text);

 private:
  friend class PatternParser;
  friend class PatternMatcher;

  using Set = std::bitset<256>;

  enum class Kind : uint8_t {
    kByte,          // one byte of `set`, repeated as `repeat` says
    kOpen,          // "("
    kPosition,      // "()"
    kClose,         // ")" of capture `capture`
    kSameAs,        // "%1": the text of capture `capture`
    kBalanced,      // "%bxy"
    kFrontier,      // "%f[set]"
    kEndOfSubject,  // "$" at the end
  };

  enum class Repeat : uint8_t { kOnce, kOptional, kMost, kMostOfSome, kFewest };

  struct Item {
    Kind kind = Kind::kByte;
    Repeat repeat = Repeat::kOnce;
    uint8_t capture = 0;
    char open = 0, close = 0;  // of kBalanced
    Set set;
  };

  std::vector<Item> items_;
  bool anchored_ = false;
};

}  // namespace qspec::lua
