#include "engine/core/nearest.h"

#include <boost/test/unit_test.hpp>
#include <vector>

namespace qspec::test {
namespace {

std::string nearest(std::string_view name, const std::vector<std::string>& candidates) {
  return nearest_name(name, candidates).value_or("nothing");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nearest_tests)

BOOST_AUTO_TEST_CASE(finds_the_candidate_with_the_fewest_edits) {
  BOOST_TEST(nearest("blom-tiny", {"llama-tiny", "bloom-tiny", "bloom-tiny-2"}) == "bloom-tiny");
}

BOOST_AUTO_TEST_CASE(takes_letters_of_either_case_for_equal) {
  BOOST_TEST(nearest("MODEL.SAFETENSORS", {"model.safetensors"}) == "model.safetensors");
}

BOOST_AUTO_TEST_CASE(finds_nothing_when_more_than_a_third_differs) {
  BOOST_TEST(nearest("config", {"tokenizer", "weights"}) == "nothing");
  BOOST_TEST(nearest("ab", {"cd"}) == "nothing");
}

BOOST_AUTO_TEST_CASE(finds_nothing_among_no_candidates) {
  BOOST_TEST(nearest("config", {}) == "nothing");
}

BOOST_AUTO_TEST_CASE(does_not_compare_very_long_names) {
  const std::string name(300, 'a');
  BOOST_TEST(nearest(name, {name + "b"}) == "nothing");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
