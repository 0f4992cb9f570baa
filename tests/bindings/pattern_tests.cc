// Patterns against LuaJIT's own, which they stand in for.

#include "bindings/host/pattern.h"

#include <boost/test/unit_test.hpp>
#include <lua.hpp>
#include <memory>
#include <random>
#include <string>

#include "engine/core/error.h"
#include "script.h"

namespace qspec::lua {
namespace {

constexpr int kRandomCases = 30000;
// A pattern that repeats much is slow in LuaJIT too.
constexpr size_t kMostItems = 6;

// Shown results of a call in each of two states: ours and plain LuaJIT.
class Pair {
 public:
  Pair() { luaL_openlibs(plain_.get()); }

  std::string ours(const std::string& expression) {
    const Outcome outcome = run(host_, script(expression));
    return outcome.passed ? outcome.text : "an error";
  }

  std::string plain(const std::string& expression) {
    lua_State* L = plain_.get();
    lua_settop(L, 0);
    if (luaL_loadstring(L, script(expression).c_str()) != 0 || lua_pcall(L, 0, 1, 0) != 0) {
      return "an error";
    }
    size_t length = 0;
    const char* text = lua_tolstring(L, -1, &length);
    return {text, length};
  }

 private:
  static std::string script(const std::string& expression) {
    return "local r, n = {}, select('#', " + expression + ") local v = { " + expression +
           " } for i = 1, n do r[i] = tostring(v[i]) end return n .. ':' .. table.concat(r, '|')";
  }

  Host host_{source_tree()};
  std::unique_ptr<lua_State, decltype(&lua_close)> plain_{luaL_newstate(), lua_close};
};

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    char code[8];
    std::snprintf(code, sizeof code, "\\%03u", static_cast<unsigned char>(c));
    result += code;
  }
  return result + "'";
}

class RandomPatterns {
 public:
  std::string pattern() {
    std::string text = pick({"", "", "", "^"});
    int open = 0, captures = 0;
    const size_t items = 1 + random_() % kMostItems;
    for (size_t i = 0; i < items; ++i) {
      const auto kind = random_() % 12;
      if (kind == 0 && captures < 3) {
        text += "(";
        ++open, ++captures;
      } else if (kind == 1 && open > 0) {
        text += ")";
        --open;
      } else if (kind == 2) {
        text += pick({"%b()", "%b''", "%f[%w]", "%f[^a]", "()", "%bab"});
      } else {
        text += byte() + pick({"", "", "", "*", "+", "-", "?"});
      }
    }
    for (; open > 0; --open) text += ")";
    return text + pick({"", "", "", "$"});
  }

  std::string subject() {
    std::string text;
    const size_t length = random_() % 14;
    for (size_t i = 0; i < length; ++i) text += "ab (1)'.-A_\n\xC3z]%"[random_() % 16];
    return text;
  }

  int number(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }

 private:
  std::string pick(std::initializer_list<const char*> choices) {
    return *(choices.begin() + random_() % choices.size());
  }

  std::string byte() {
    return pick({"a",    "b",      "1",     " ",     ".",     "%a",    "%w",    "%s",  "%d",
                 "%p",   "%u",     "%l",    "%x",    "%c",    "%W",    "%A",    "%S",  "%.",
                 "%%",   "%-",     "[ab]",  "[^ab]", "[a-z]", "[%w_]", "[^%s]", "[]]", "[^]]",
                 "[a-]", "[%a-z]", "[b-a]", "%g",    "%z",    "\xC3",  "$",     "^"});
  }

  std::mt19937 random_{20260131};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(pattern_tests)

BOOST_AUTO_TEST_CASE(find_gmatch_and_gsub_give_what_luajit_gives_for_random_patterns) {
  Pair pair;
  RandomPatterns random;
  int matched = 0;
  for (int i = 0; i < kRandomCases; ++i) {
    const std::string subject = quoted(random.subject());
    const std::string pattern = quoted(random.pattern());
    const std::string start = std::to_string(random.number(18) - 6);
    const std::string calls[] = {
        "string.find(" + subject + ", " + pattern + ", " + start + ")",
        "string.match(" + subject + ", " + pattern + ", " + start + ")",
        "string.gsub(" + subject + ", " + pattern + ", '<%0%%>', " +
            std::to_string(random.number(5)) + ")",
        "string.gsub(" + subject + ", " + pattern + ", function(...) return select('#', ...) end)",
        "(function() local t = {} for a, b in string.gmatch(" + subject + ", " + pattern +
            ") do t[#t + 1] = tostring(a) .. tostring(b) end return unpack(t) end)()"};
    const std::string& call = calls[i % std::size(calls)];
    const std::string wanted = pair.plain(call);
    BOOST_TEST(pair.ours(call) == wanted,
               call << ": ours " << pair.ours(call) << ", LuaJIT's " << wanted);
    if (wanted != "1:nil" && wanted != "an error") ++matched;
  }
  BOOST_TEST(matched > kRandomCases / 4);
}

BOOST_AUTO_TEST_CASE(every_class_holds_the_bytes_that_luajit_puts_in_it) {
  Pair pair;
  for (const char letter : std::string("acdglpsuwxzACDGLPSUWXZyY")) {
    const std::string call =
        std::string(
            "(function() local t = {} for i = 0, 255 do t[#t + 1] = string.char(i):find('%") +
        letter + "') and 1 or 0 end return table.concat(t) end)()";
    BOOST_TEST(pair.ours(call) == pair.plain(call), "class %" << letter);
  }
}

BOOST_AUTO_TEST_CASE(replacements_by_tables_and_values_are_those_of_luajit) {
  Pair pair;
  for (const char* call : {"('a b c'):gsub('%w', { a = 1, b = false, c = 'see' })",
                           "('abc'):gsub('', '-')",
                           "('abc'):gsub('b*', 'x')",
                           "('hello world'):gsub('o', 'O', 1)",
                           "('x'):gsub('x', '%%')",
                           "('k=v'):gsub('(%w)=(%w)', '%2=%1')",
                           "('abc'):gsub('%w', '%0%0')",
                           "('abc'):gsub('a', 7)",
                           "('abc'):find('')",
                           "('abc'):find('', 10)",
                           "('abc'):find('b', -2)",
                           "('a.c'):find('.', 2, true)",
                           "('aXb'):gsub('%u', string.lower)",
                           "('  trim '):match('^%s*(.-)%s*$')",
                           "('a,b,,c'):gsub(',', ';')",
                           "('abc'):match('()b()')",
                           "('f(a(b)c)d'):match('%b()')",
                           "('THE (quick) fox'):find('%((%a+)%)')",
                           "('x=1'):match('^(%w+)=(%w*)$')",
                           "('aa'):match('^(a)%1$')",
                           "('a\\0b'):find('\\0')",
                           "('a\\0b'):match('a%zb')"}) {
    BOOST_TEST(pair.ours(call) == pair.plain(call), call);
  }
}

BOOST_AUTO_TEST_CASE(backtracking_without_end_is_an_error_and_not_a_miss) {
  std::string text;
  for (int i = 0; i < 12; ++i) text += "a-";
  const Pattern pattern(text + "b");
  uint64_t steps = 0;
  Pattern::Match match;
  BOOST_CHECK_THROW(pattern.search(std::string(40, 'a'), 0, match, steps), Error);
  BOOST_TEST(steps > Pattern::kMaxSteps);
}

BOOST_AUTO_TEST_CASE(a_long_text_needs_no_deep_stack) {
  uint64_t steps = 0;
  const std::string text(4'000'000, 'a');
  Pattern::Match match;
  BOOST_TEST(!Pattern("^.-b").search(text, 0, match, steps));
}

BOOST_AUTO_TEST_CASE(malformed_patterns_are_refused_when_they_are_read) {
  for (const char* text : {"[a", "[", "[^", "[]", "[%", "%", "(", "(a", ")", "a)", "%1", "(%1)",
                           "%b", "%bx", "%f", "%fa", "%0"}) {
    BOOST_CHECK_THROW(Pattern{text}, Error);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::lua
