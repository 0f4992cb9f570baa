#include "engine/core/key_stack.h"

#include <boost/test/unit_test.hpp>

namespace qspec::test {

BOOST_AUTO_TEST_SUITE(key_stack_tests)

BOOST_AUTO_TEST_CASE(finds_a_key_that_occurs_twice_with_both_places) {
  KeyStack keys;
  keys.open();
  keys.add("hidden_size", 1);
  keys.add("hidden_sizes", 2);
  keys.add("hidden_size", 3);
  const auto repetition = keys.close();
  BOOST_REQUIRE(repetition.has_value());
  BOOST_TEST(repetition->key == "hidden_size");
  BOOST_TEST(repetition->first_place == 1u);
  BOOST_TEST(repetition->second_place == 3u);
}

BOOST_AUTO_TEST_CASE(tells_keys_apart_that_share_their_first_bytes) {
  KeyStack keys;
  keys.open();
  for (const char* key : {"", "abcdefgh", "abcdefgh1", "abcdefgh2", "abcdefg"}) keys.add(key, 0);
  keys.add({"\0", 1}, 0);
  BOOST_TEST(!keys.close().has_value());
}

BOOST_AUTO_TEST_CASE(allows_a_key_again_in_an_inner_and_in_a_later_object) {
  KeyStack keys;
  keys.open();
  keys.add("a", 1);
  keys.open();
  keys.add("a", 2);
  BOOST_TEST(!keys.close().has_value());
  keys.open();
  keys.add("a", 3);
  BOOST_TEST(!keys.close().has_value());
  keys.add("b", 4);
  BOOST_TEST(keys.depth() == 1u);
  BOOST_TEST(!keys.close().has_value());
  BOOST_TEST(keys.depth() == 0u);
}

BOOST_AUTO_TEST_CASE(remembers_the_keys_of_an_object_while_an_inner_one_is_open) {
  KeyStack keys;
  keys.open();
  keys.add("a", 1);
  keys.open();
  keys.close();
  keys.add("a", 2);
  BOOST_TEST(keys.close()->second_place == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
