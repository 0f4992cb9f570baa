#include "engine/text/charsmap.h"

#include <boost/test/unit_test.hpp>

#include "tests/engine/text/charsmap_bytes.h"
#include "tests/support/refusal.h"

using namespace qspec;
using namespace qspec::test;

namespace {

std::string found(const Charsmap& charsmap, std::string_view text) {
  const auto replacement = charsmap.find(text);
  return replacement ? "'" + std::string(*replacement) + "'" : "nothing";
}

void check_damaged(const std::string& bytes, std::string_view message) {
  const Error error = refusal([&] { Charsmap(bytes).find("a"); });
  BOOST_TEST((error.kind() == ErrorKind::kCheckpoint));
  BOOST_TEST(has(error.message(), message), error.message());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(charsmap_tests)

BOOST_AUTO_TEST_CASE(finds_what_replaces_a_text) {
  const Charsmap charsmap(CharsmapBuilder().add("a", "A").add("é", "e").add("b", "").bytes());
  BOOST_TEST(found(charsmap, "a") == "'A'");
  BOOST_TEST(found(charsmap, "é") == "'e'");
  BOOST_TEST(found(charsmap, "b") == "''");
  BOOST_TEST(found(charsmap, "c") == "nothing");
  BOOST_TEST(found(charsmap, "") == "nothing");
}

BOOST_AUTO_TEST_CASE(takes_the_shortest_beginning) {
  const Charsmap charsmap(CharsmapBuilder().add("abc", "long").add("ab", "short").bytes());
  BOOST_TEST(found(charsmap, "abcd") == "'short'");
  BOOST_TEST(found(charsmap, "a") == "nothing");
}

BOOST_AUTO_TEST_CASE(stops_at_nul) {
  const Charsmap charsmap(CharsmapBuilder().add("ab", "x").bytes());
  BOOST_TEST(found(charsmap, std::string("a\0b", 3)) == "nothing");
}

BOOST_AUTO_TEST_CASE(refuses_sizes_that_are_not_there) {
  check_damaged("abc", "3 bytes");
  check_damaged(std::string(4, '\0'), "0 bytes");
  check_damaged(std::string("\x06\0\0\0abcdef", 10), "6 bytes");
  check_damaged(std::string("\x08\0\0\0abcd", 8), "8 bytes in 4");
}

BOOST_AUTO_TEST_CASE(refuses_to_leave_the_array) {
  std::vector<uint32_t> units = CharsmapBuilder().add("a", "A").units();
  units[0] = 0x1FFFFF << 10;
  check_damaged(CharsmapBuilder::bytes_of(units, ""), "unit 2097054 of 768");
}

BOOST_AUTO_TEST_CASE(refuses_to_leave_the_texts) {
  const CharsmapBuilder builder = CharsmapBuilder().add("a", "A");
  std::vector<uint32_t> units = builder.units();
  units[512] = 3 | 1u << 31;
  check_damaged(CharsmapBuilder::bytes_of(units, builder.texts()), "byte 3 of its texts");
}

BOOST_AUTO_TEST_CASE(refuses_to_begin_inside_a_character) {
  const CharsmapBuilder builder = CharsmapBuilder().add("a", "é");
  std::vector<uint32_t> units = builder.units();
  units[512] = 1 | 1u << 31;
  check_damaged(CharsmapBuilder::bytes_of(units, builder.texts()), "inside a character");
}

BOOST_AUTO_TEST_CASE(refuses_texts_that_are_not_utf8) {
  check_damaged(CharsmapBuilder().add("a", "\xFF").bytes(), "not UTF-8 at byte 0");
}

BOOST_AUTO_TEST_CASE(ends_in_an_array_that_goes_in_circles) {
  std::vector<uint32_t> units(256);
  for (uint32_t byte = 0; byte < 256; ++byte) units[byte] = byte << 10 | byte;  // always to unit 0
  BOOST_TEST(found(Charsmap(CharsmapBuilder::bytes_of(units, "")), std::string(10'000, 'a')) ==
             "nothing");
}

BOOST_AUTO_TEST_SUITE_END()
