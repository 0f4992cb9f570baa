#include "engine/model/choice.h"

#include <boost/test/unit_test.hpp>
#include <limits>

namespace qspec {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

using Indices = std::vector<int64_t>;

BOOST_AUTO_TEST_SUITE(choice_tests)

BOOST_AUTO_TEST_CASE(the_highest_come_in_their_order) {
  const std::vector<float> scores = {1, 5, -2, 9, 4};
  BOOST_TEST(highest(scores, 3) == (Indices{3, 1, 4}));
}

BOOST_AUTO_TEST_CASE(of_equal_scores_the_first_comes_first) {
  const std::vector<float> scores = {2, 7, 7, 2, 7};
  BOOST_TEST(highest(scores, 4) == (Indices{1, 2, 4, 0}));
}

BOOST_AUTO_TEST_CASE(fewer_scores_than_asked_for_are_all_of_them) {
  const std::vector<float> scores = {kNever, 1};
  BOOST_TEST(highest(scores, 8) == (Indices{1, 0}));
}

BOOST_AUTO_TEST_CASE(scores_that_are_all_forbidden_come_as_they_stand) {
  const std::vector<float> scores(5, kNever);
  BOOST_TEST(highest(scores, 2) == (Indices{0, 1}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
