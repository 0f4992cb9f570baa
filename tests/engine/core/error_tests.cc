#include "engine/core/error.h"

#include <boost/test/unit_test.hpp>

namespace qspec::test {

BOOST_AUTO_TEST_SUITE(error_tests)

BOOST_AUTO_TEST_CASE(carries_message_place_and_hint) {
  Error error(ErrorKind::kIo, "found 1, need 2");
  error.at("model.safetensors", 7).hint("fetch it again");
  BOOST_TEST(error.message() == "found 1, need 2");
  BOOST_TEST(error.where() == "model.safetensors, byte 7");
  BOOST_TEST(error.hint() == "fetch it again");
  BOOST_TEST(std::string(error.what()) == error.message());
}

BOOST_AUTO_TEST_CASE(names_every_kind) {
  BOOST_TEST(kind_name(ErrorKind::kUsage) == "usage");
  BOOST_TEST(kind_name(ErrorKind::kInternal) == "internal");
}

BOOST_AUTO_TEST_CASE(shows_utf8_as_it_is) {
  BOOST_TEST(printable("weight \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80") ==
             "weight \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80");
}

BOOST_AUTO_TEST_CASE(shows_control_characters_as_escapes) {
  BOOST_TEST(printable("a\n\x1B[2J\x7F") == "a\\x0A\\x1B[2J\\x7F");
}

BOOST_AUTO_TEST_CASE(shows_bytes_that_are_not_utf8_as_escapes) {
  BOOST_TEST(printable("\xFF") == "\\xFF");
  BOOST_TEST(printable("\xC3(") == "\\xC3(");
  BOOST_TEST(printable("\xC0\x80") == "\\xC0\\x80");                    // overlong, 2 bytes
  BOOST_TEST(printable("\xE0\x80\x80") == "\\xE0\\x80\\x80");           // overlong, 3 bytes
  BOOST_TEST(printable("\xED\xA0\x80") == "\\xED\\xA0\\x80");           // surrogate
  BOOST_TEST(printable("\xF0\x80\x80\x80") == "\\xF0\\x80\\x80\\x80");  // overlong, 4 bytes
  BOOST_TEST(printable("\xF4\x90\x80\x80") == "\\xF4\\x90\\x80\\x80");  // past U+10FFFF
  BOOST_TEST(printable("\xE2\x82") == "\\xE2\\x82");                    // cut off
}

BOOST_AUTO_TEST_CASE(cuts_a_long_name_but_not_a_path) {
  const std::string text(1000, 'a');
  BOOST_TEST(printable(text) == std::string(200, 'a') + "...");
  BOOST_TEST(printable_path(text) == text);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
