#include "engine/text/split.h"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace qspec;

namespace {

std::string pieces(std::string_view text, SplitBehavior behavior) {
  std::string list;
  for (const TextSpan& span : split_at(segments_of_literal(text, "-"), behavior)) {
    list += "[" + std::string(text.substr(span.begin, span.end - span.begin)) + "]";
  }
  return list;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(split_tests)

BOOST_AUTO_TEST_CASE(removes_the_matches) {
  BOOST_TEST(pieces("a-b--c-", SplitBehavior::kRemoved) == "[a][b][c]");
}

BOOST_AUTO_TEST_CASE(isolates_the_matches) {
  BOOST_TEST(pieces("a-b--c-", SplitBehavior::kIsolated) == "[a][-][b][-][-][c][-]");
}

BOOST_AUTO_TEST_CASE(merges_a_match_with_what_is_before) {
  BOOST_TEST(pieces("a-b--c-", SplitBehavior::kMergedWithPrevious) == "[a-][b-][-][c-]");
  BOOST_TEST(pieces("-a", SplitBehavior::kMergedWithPrevious) == "[-][a]");
}

BOOST_AUTO_TEST_CASE(merges_a_match_with_what_follows) {
  BOOST_TEST(pieces("a-b--c-", SplitBehavior::kMergedWithNext) == "[a][-b][-][-c][-]");
}

BOOST_AUTO_TEST_CASE(keeps_matches_in_a_row_together) {
  BOOST_TEST(pieces("a-b--c-", SplitBehavior::kContiguous) == "[a][-][b][--][c][-]");
}

BOOST_AUTO_TEST_CASE(takes_an_empty_text_for_one_gap) {
  BOOST_TEST(split_at(segments_of_regex("", Regex("x*")), SplitBehavior::kRemoved).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
