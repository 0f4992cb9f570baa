#include "engine/text/utf8.h"

#include <boost/test/unit_test.hpp>

using namespace qspec;

BOOST_AUTO_TEST_SUITE(utf8_tests)

BOOST_AUTO_TEST_CASE(reads_back_what_it_appends) {
  for (const char32_t code : {U'\0', U'a', U'\x7F', U'\x80', U'\x7FF', U'\x800', U'\xD7FF',
                              U'\xE000', U'\xFFFF', U'\x10000', U'\x10FFFF'}) {
    std::string text;
    append_utf8(text, code);
    const Utf8Char found = utf8_at(text, 0);
    BOOST_TEST(found.valid);
    BOOST_TEST((found.code == code));
    BOOST_TEST(found.bytes == text.size());
    BOOST_TEST((utf8_before("x" + text, 1 + text.size()).code == code));
  }
}

BOOST_AUTO_TEST_CASE(names_the_first_byte_that_is_not_utf8) {
  BOOST_TEST(!first_invalid_utf8("caf\xC3\xA9").has_value());
  BOOST_TEST(first_invalid_utf8("caf\xC3").value() == 3u);
  BOOST_TEST(first_invalid_utf8("\x80").value() == 0u);
}

BOOST_AUTO_TEST_CASE(refuses_overlong_forms_surrogates_and_what_is_past_the_last_character) {
  for (const char* text :
       {"\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF",
        "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    BOOST_TEST(first_invalid_utf8(text).has_value());
  }
}

BOOST_AUTO_TEST_CASE(replaces_each_longest_part_that_could_have_begun_a_character) {
  BOOST_TEST(lossy_utf8("a\xE2\x82") == "a\xEF\xBF\xBD");
  BOOST_TEST(lossy_utf8("\xE2\x82z") == "\xEF\xBF\xBDz");
  BOOST_TEST(lossy_utf8("\xED\xA0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  BOOST_TEST(lossy_utf8("\xF0\x9F\x98\xE2\x82\xAC") == "\xEF\xBF\xBD\xE2\x82\xAC");
}

BOOST_AUTO_TEST_CASE(counts_characters_not_bytes) {
  BOOST_TEST(utf8_length("a\xC3\xA9\xE2\x82\xAC") == 3u);
}

BOOST_AUTO_TEST_SUITE_END()
