#include "engine/text/grapheme.h"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace qspec;

namespace {

std::string clusters(std::string_view text) {
  std::string list;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = grapheme_end(text, begin);
    list += "[" + std::string(text.substr(begin, end - begin)) + "]";
    begin = end;
  }
  return list;
}

}  // namespace

// Of Unicode Standard Annex 29, table 1a and the rules GB3 to GB13.
BOOST_AUTO_TEST_SUITE(grapheme_tests)

BOOST_AUTO_TEST_CASE(keeps_accents_with_their_letter) {
  BOOST_TEST(clusters("ae\u0301\u0327b") == "[a][e\u0301\u0327][b]");
}

BOOST_AUTO_TEST_CASE(keeps_carriage_return_and_line_feed_together) {
  BOOST_TEST(clusters("a\r\n\n\r") == "[a][\r\n][\n][\r]");
}

BOOST_AUTO_TEST_CASE(gives_an_accent_behind_a_control_a_cluster_of_its_own) {
  BOOST_TEST(clusters("\n\u0301") == "[\n][\u0301]");
}

BOOST_AUTO_TEST_CASE(keeps_an_emoji_sequence_together) {
  BOOST_TEST(clusters("👩🏽\u200D🚀x") == "[👩🏽\u200D🚀][x]");
}

BOOST_AUTO_TEST_CASE(pairs_flags) {
  BOOST_TEST(clusters("🇩🇪🇫🇷") == "[🇩🇪][🇫🇷]");
}

BOOST_AUTO_TEST_CASE(keeps_a_number_sign_with_what_follows) {
  BOOST_TEST(clusters("\u0600a") == "[\u0600a]");
}

// U+0897 is of Unicode 16.
BOOST_AUTO_TEST_CASE(knows_marks_younger_than_its_own_tables) {
  BOOST_TEST(clusters("a\u0897b") == "[a\u0897][b]");
}

BOOST_AUTO_TEST_SUITE_END()
