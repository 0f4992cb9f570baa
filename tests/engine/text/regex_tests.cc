#include "engine/text/regex.h"

#include <boost/test/unit_test.hpp>
#include <ctime>

#include "tests/support/refusal.h"

using namespace qspec;
using namespace qspec::test;

namespace {

std::string matches(const std::string& pattern, std::string_view text) {
  std::string list;
  for (const TextSpan& span : Regex(pattern).find_all(text)) {
    list += "[" + std::string(text.substr(span.begin, span.end - span.begin)) + "]";
  }
  return list;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(regex_tests)

BOOST_AUTO_TEST_CASE(finds_every_match_from_left_to_right) {
  BOOST_TEST(matches(R"(\d+)", "a12b3") == "[12][3]");
}

BOOST_AUTO_TEST_CASE(reads_a_class_within_a_class_as_oniguruma_does) {
  BOOST_TEST(matches(" ?[^(\\s|[.,!?])]+", "a(b)c|d]e[f") == "[a][b][c][d]e[f]");
}

BOOST_AUTO_TEST_CASE(knows_unicode_white_space) {
  BOOST_TEST(matches(R"(\s)",
                     "a\xC2\x85"
                     "b\xE3\x80\x80") == "[\xC2\x85][\xE3\x80\x80]");
}

BOOST_AUTO_TEST_CASE(goes_on_behind_an_empty_match) {
  BOOST_TEST(matches("x*", "axb") == "[][x][]");
  BOOST_TEST(matches("", "\xC3\xA9") == "[][]");
}

BOOST_AUTO_TEST_CASE(names_a_pattern_that_does_not_compile) {
  const Error error = refusal([] { Regex("a(b"); });
  BOOST_TEST((error.kind() == ErrorKind::kUnsupported));
  BOOST_TEST(has(error.message(), "'a(b' does not compile"));
}

BOOST_AUTO_TEST_CASE(says_that_a_pattern_runs_away_instead_of_no_match) {
  const Error error = refusal([] { Regex("(a+)+$").find_all(std::string(40, 'a') + "!"); });
  BOOST_TEST((error.kind() == ErrorKind::kCheckpoint));
  BOOST_TEST(has(error.message(), "(a+)+$"));
  BOOST_TEST(has(error.message(), "byte 0 of 41"));
}

// Measured on the processor's clock: other programs do not count.
BOOST_AUTO_TEST_CASE(ends_patterns_that_run_away_within_a_second_or_so) {
  const std::pair<const char*, std::string> kCases[] = {
      {"(a+)+$", std::string(40, 'a') + "!"},       {"(a|aa)+$", std::string(60, 'a') + "!"},
      {"(\\w+\\s?)*$", std::string(30, 'a') + "-"}, {"\\s+$", std::string(100'000, ' ') + "x"},
      {"a(?=.*[bc])", std::string(100'000, 'a')},   {"a*b|a", std::string(100'000, 'a')},
      {".*[bc]|a", std::string(100'000, 'a')},      {"(?>[ad]*)[bc]|a", std::string(100'000, 'a')},
  };
  for (const auto& [pattern, text] : kCases) {
    BOOST_TEST_CONTEXT(pattern) {
      const std::clock_t began = std::clock();
      const Error error = refusal([&] { Regex(pattern).find_all(text); });
      BOOST_TEST((error.kind() == ErrorKind::kCheckpoint));
      BOOST_TEST(has(error.message(), pattern), error.message());
      BOOST_TEST(double(std::clock() - began) / CLOCKS_PER_SEC < 15.0);  // sanitizers are slow
    }
  }
}

BOOST_AUTO_TEST_CASE(refuses_callouts) {
  BOOST_CHECK_THROW(Regex("a(?{code})"), Error);
  BOOST_CHECK_THROW(Regex("a(*FAIL)"), Error);
}

BOOST_AUTO_TEST_CASE(refuses_recursion) {
  BOOST_CHECK_THROW(Regex("a(?R)?b"), Error);
}

BOOST_AUTO_TEST_CASE(refuses_a_pattern_that_is_too_long) {
  BOOST_TEST(has(refusal([] { Regex(std::string(65000, 'a')); }).message(), "65000 bytes"));
}

BOOST_AUTO_TEST_CASE(refuses_groups_nested_too_deep) {
  BOOST_CHECK_THROW(Regex(std::string(300, '(') + "a" + std::string(300, ')')), Error);
}

BOOST_AUTO_TEST_CASE(refuses_matches_that_overlap) {
  const Error error = refusal([] { Regex("(?<=\\Kaa)b|a").find_all("aab"); });
  BOOST_TEST(has(error.message(), "overlap at byte 0"));
}

BOOST_AUTO_TEST_CASE(scans_a_long_text_without_a_match) {
  BOOST_TEST(Regex(" ?[^\\s]+").find_all(std::string(3'000'000, ' ')).empty());
}

BOOST_AUTO_TEST_CASE(matches_only_at_the_start_when_asked) {
  const Regex regex("lm_head|h\\.\\d", Regex::Syntax::kPython);
  BOOST_TEST(regex.matches_start("h.0.mlp"));
  BOOST_TEST(!regex.matches_start("transformer.h.0"));
}

BOOST_AUTO_TEST_SUITE_END()
