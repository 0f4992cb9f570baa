#include "engine/core/base64.h"

#include <boost/test/unit_test.hpp>

#include "tests/support/refusal.h"

using namespace qspec;
using namespace qspec::test;

BOOST_AUTO_TEST_SUITE(base64_tests)

// RFC 4648, section 10.
BOOST_AUTO_TEST_CASE(decodes_the_examples_of_its_standard) {
  BOOST_TEST(base64_decode("").empty());
  BOOST_TEST(base64_decode("Zg==") == "f");
  BOOST_TEST(base64_decode("Zm8=") == "fo");
  BOOST_TEST(base64_decode("Zm9v") == "foo");
  BOOST_TEST(base64_decode("Zm9vYg==") == "foob");
}

BOOST_AUTO_TEST_CASE(decodes_all_sixty_four_letters) {
  BOOST_TEST(base64_decode("+/+/") == "\xFB\xFF\xBF");
  BOOST_TEST(base64_decode("AZaz09==") == std::string("\x01\x96\xB3\xD3", 4));
}

BOOST_AUTO_TEST_CASE(names_the_byte_that_does_not_belong_there) {
  BOOST_TEST(has(refusal([] { base64_decode("Zm9v\nZm8"); }).message(), "at byte 4"));
  BOOST_TEST(has(refusal([] { base64_decode("Z=9v"); }).message(), "'=' at byte 1"));
  BOOST_TEST(has(refusal([] { base64_decode("===="); }).message(), "'=' at byte 0"));
  BOOST_TEST(has(refusal([] { base64_decode("Zm-_"); }).message(), "'-' at byte 2"));
}

BOOST_AUTO_TEST_CASE(refuses_text_without_its_padding) {
  BOOST_TEST(has(refusal([] { base64_decode("Zg"); }).message(), "2 letters"));
}

BOOST_AUTO_TEST_SUITE_END()
