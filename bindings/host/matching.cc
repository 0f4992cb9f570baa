#include "bindings/host/matching.h"

#include <algorithm>
#include <limits>
#include <string>

#include "bindings/boundary.h"
#include "bindings/host/charged.h"
#include "bindings/host/confinement.h"
#include "bindings/host/pattern.h"
#include "bindings/host/pattern_cache.h"

namespace qspec::lua {
namespace {

// A step of the matcher is cheaper than an instruction of Lua.
constexpr double kMatcherStepsPerStep = 8;

// Lua's 1-based, possibly negative position as an offset, within the text.
size_t offset_of(double position, size_t length) {
  if (position < 0) position = std::max(static_cast<double>(length) + position + 1, 1.0);
  if (!(position > 1)) return 0;
  return static_cast<size_t>(std::min(position - 1, static_cast<double>(length)));
}

size_t first_offset(lua_State* L, int index, size_t length) {
  return is_absent(L, index) ? 0 : offset_of(check_number(L, index), length);
}

void push_capture(lua_State* L, std::string_view subject, const Pattern::Match& match,
                  size_t capture) {
  if (match.capture_count == 0 && capture == 0) {
    push(L, subject.substr(match.begin, match.end - match.begin));
    return;
  }
  const Pattern::Capture& found = match.captures[capture];
  if (found.end == Pattern::kPosition) {
    lua_pushnumber(L, static_cast<double>(found.begin) + 1);
  } else {
    push(L, subject.substr(found.begin, found.end - found.begin));
  }
}

// Captures, or the whole match when there are none and `whole`.
int push_captures(lua_State* L, std::string_view subject, const Pattern::Match& match, bool whole) {
  const size_t count = match.capture_count == 0 && whole ? 1 : match.capture_count;
  luaL_checkstack(L, static_cast<int>(count), "too many captures");
  for (size_t i = 0; i < count; ++i) push_capture(L, subject, match, i);
  return static_cast<int>(count);
}

// Whether there is a match; what it cost is charged, also when it cost too much.
bool search(lua_State* L, const Pattern& pattern, std::string_view subject, size_t from,
            Pattern::Match& match) {
  uint64_t steps = 0;
  bool found = false;
  try {
    found = pattern.search(subject, from, match, steps);
  } catch (const Error&) {
    Confinement::of(L).charge(L, static_cast<double>(steps) / kMatcherStepsPerStep);
    throw;
  }
  Confinement::of(L).charge(L, static_cast<double>(steps) / kMatcherStepsPerStep);
  return found;
}

int push_range(lua_State* L, size_t begin, size_t end) {
  lua_pushnumber(L, static_cast<double>(begin) + 1);
  lua_pushnumber(L, static_cast<double>(end));
  return 2;
}

int find_plain(lua_State* L, std::string_view subject, std::string_view text, size_t from) {
  charge_bytes(L, subject.size());
  const size_t at = subject.find(text, from);
  if (at != std::string_view::npos) return push_range(L, at, at + text.size());
  lua_pushnil(L);
  return 1;
}

// What one match is replaced by; the third argument of gsub.
class Replacement {
 public:
  explicit Replacement(lua_State* L) : L_(L), type_(lua_type(L, 3)) {
    if (type_ == LUA_TNUMBER || type_ == LUA_TSTRING) {
      text_ = check_text(L, 3);
    } else if (type_ != LUA_TTABLE && type_ != LUA_TFUNCTION) {
      argument_error(L, 3, "a text, table or function");
    }
  }

  void append(std::string& result, std::string_view subject, const Pattern::Match& match) const {
    if (type_ == LUA_TTABLE) {
      push_capture(L_, subject, match, 0);
      lua_gettable(L_, 3);
    } else if (type_ == LUA_TFUNCTION) {
      lua_pushvalue(L_, 3);
      lua_call(L_, push_captures(L_, subject, match, true), 1);
    } else {
      return append_text(result, subject, match);
    }
    append_value(result, subject, match);
  }

 private:
  void append_text(std::string& result, std::string_view subject,
                   const Pattern::Match& match) const {
    for (size_t i = 0; i < text_.size(); ++i) {
      if (text_[i] != '%' || ++i == text_.size()) {
        if (i < text_.size()) result += text_[i];
      } else if (text_[i] < '0' || text_[i] > '9') {
        result += text_[i];
      } else {
        append_capture(result, subject, match, text_[i]);
      }
    }
  }

  void append_capture(std::string& result, std::string_view subject, const Pattern::Match& match,
                      char digit) const {
    const size_t capture = static_cast<size_t>(digit - '0');
    if (capture == 0) {
      result += subject.substr(match.begin, match.end - match.begin);
      return;
    }
    if (capture > std::max<size_t>(match.capture_count, 1)) {
      throw Error(ErrorKind::kSpec, std::string("the replacement names '%") + digit +
                                        "', the pattern has " +
                                        std::to_string(match.capture_count) + " captures");
    }
    push_capture(L_, subject, match, capture - 1);
    result += check_text(L_, -1);
    lua_pop(L_, 1);
  }

  // The value on the top, popped; nil and false keep the match as it is.
  void append_value(std::string& result, std::string_view subject,
                    const Pattern::Match& match) const {
    if (!lua_toboolean(L_, -1)) {
      result += subject.substr(match.begin, match.end - match.begin);
    } else if (lua_isstring(L_, -1)) {
      result += check_text(L_, -1);
    } else {
      throw Error(ErrorKind::kSpec, std::string("the replacement is a ") + luaL_typename(L_, -1) +
                                        ", wanted a text, nil or false");
    }
    lua_pop(L_, 1);
  }

  lua_State* L_;
  int type_;
  std::string_view text_;
};

}  // namespace

int find_pattern(lua_State* L) {
  const std::string_view subject = check_text(L, 1);
  const std::string_view text = check_text(L, 2);
  const size_t from = first_offset(L, 3, subject.size());
  if (lua_toboolean(L, 4) || Pattern::is_plain(text)) return find_plain(L, subject, text, from);
  Pattern::Match match;
  if (!search(L, *compiled_pattern(text), subject, from, match)) {
    lua_pushnil(L);
    return 1;
  }
  return push_range(L, match.begin, match.end) + push_captures(L, subject, match, false);
}

int match_pattern(lua_State* L) {
  const std::string_view subject = check_text(L, 1);
  const auto pattern = compiled_pattern(check_text(L, 2));
  const size_t from = first_offset(L, 3, subject.size());
  Pattern::Match match;
  if (search(L, *pattern, subject, from, match)) return push_captures(L, subject, match, true);
  lua_pushnil(L);
  return 1;
}

namespace {

// Upvalues: name, subject, pattern, offset of the next search.
int next_match(lua_State* L) {
  const std::string_view subject = check_string(L, lua_upvalueindex(2));
  const auto pattern = compiled_pattern(check_string(L, lua_upvalueindex(3)), true);
  const auto from = static_cast<size_t>(lua_tonumber(L, lua_upvalueindex(4)));
  Pattern::Match match;
  const bool found = from <= subject.size() && search(L, *pattern, subject, from, match);
  const size_t next = found ? match.end + (match.end == match.begin) : subject.size() + 1;
  lua_pushnumber(L, static_cast<double>(next));
  lua_replace(L, lua_upvalueindex(4));
  if (found) return push_captures(L, subject, match, true);
  lua_pushnil(L);
  return 1;
}

}  // namespace

int each_match(lua_State* L) {
  check_text(L, 1);
  compiled_pattern(check_text(L, 2), true);  // a malformed one is refused here
  lua_pushliteral(L, "string.gmatch");
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_pushnumber(L, 0);
  lua_pushcclosure(L, translate<next_match>, 4);
  return 1;
}

int replace_matches(lua_State* L) {
  const std::string_view subject = check_text(L, 1);
  const auto pattern = compiled_pattern(check_text(L, 2));
  const Replacement replacement(L);
  const double most =
      is_absent(L, 4) ? std::numeric_limits<double>::infinity() : check_number(L, 4);
  std::string result;
  size_t copied = 0, from = 0, count = 0;
  while (static_cast<double>(count) < most && from <= subject.size()) {
    Pattern::Match match;
    if (!search(L, *pattern, subject, from, match)) break;
    ++count;
    result += subject.substr(copied, match.begin - copied);
    replacement.append(result, subject, match);
    refuse_long_text(static_cast<double>(result.size()));
    copied = match.end;
    from = match.end + (match.end == match.begin);
    if (pattern->is_anchored()) break;
  }
  result += subject.substr(std::min(copied, subject.size()));
  charge_bytes(L, result.size());
  push(L, result);
  lua_pushnumber(L, static_cast<double>(count));
  return 2;
}

}  // namespace qspec::lua
