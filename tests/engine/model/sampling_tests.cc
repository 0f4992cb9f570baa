#include "engine/model/sampling.h"

#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>

namespace qspec {
namespace {

// Shares of 0.4, 0.3, 0.2, 0.1 in another order.
at::Tensor scores() {
  return at::tensor({0.1, 0.4, 0.2, 0.3}).log().to(at::kFloat);
}

std::vector<int64_t> left(const Sampling& sampling, const at::Tensor& given = scores()) {
  const at::Tensor kept = filtered(sampling, given).isinf().logical_not().nonzero().view({-1});
  return {kept.const_data_ptr<int64_t>(), kept.const_data_ptr<int64_t>() + kept.numel()};
}

using Ids = std::vector<int64_t>;

BOOST_AUTO_TEST_SUITE(sampling_tests)

BOOST_AUTO_TEST_CASE(the_temperature_divides) {
  Sampling sampling;
  sampling.temperature = 0.5;
  BOOST_TEST(at::equal(filtered(sampling, scores()), scores() / 0.5));
}

BOOST_AUTO_TEST_CASE(top_k_keeps_the_best_and_what_equals_the_last_of_them) {
  Sampling sampling;
  sampling.top_k = 2;
  BOOST_TEST(left(sampling) == (Ids{1, 3}));
  BOOST_TEST(left(sampling, at::tensor({1.0f, 2.0f, 1.0f, 1.0f})) == (Ids{0, 1, 2, 3}));
}

BOOST_AUTO_TEST_CASE(top_p_keeps_the_fewest_that_reach_the_mass) {
  Sampling sampling;
  sampling.top_p = 0.65;
  BOOST_TEST(left(sampling) == (Ids{1, 3}));
  sampling.top_p = 0;
  BOOST_TEST(left(sampling) == Ids{1});
}

BOOST_AUTO_TEST_CASE(min_p_is_a_share_of_the_best) {
  Sampling sampling;
  sampling.min_p = 0.6;
  BOOST_TEST(left(sampling) == (Ids{1, 3}));
}

BOOST_AUTO_TEST_CASE(a_filter_works_on_what_the_one_before_left) {
  Sampling sampling;
  sampling.top_k = 2;     // shares become 4/7 and 3/7
  sampling.top_p = 0.55;  // of all four it would have taken two
  BOOST_TEST(left(sampling) == Ids{1});
}

BOOST_AUTO_TEST_CASE(the_best_token_is_never_removed) {
  Sampling sampling;
  sampling.epsilon_cutoff = 1;
  BOOST_TEST(left(sampling) == Ids{1});
  sampling = {};
  sampling.eta_cutoff = 1;
  sampling.min_p = 1;
  BOOST_TEST(left(sampling) == Ids{1});
}

BOOST_AUTO_TEST_CASE(a_draw_walks_the_cumulative_shares_in_the_order_of_ids) {
  BOOST_TEST(draw(scores(), 0.0) == 0);
  BOOST_TEST(draw(scores(), 0.09) == 0);
  BOOST_TEST(draw(scores(), 0.11) == 1);
  BOOST_TEST(draw(scores(), 0.49) == 1);
  BOOST_TEST(draw(scores(), 0.51) == 2);
  BOOST_TEST(draw(scores(), 0.71) == 3);
  BOOST_TEST(draw(scores(), std::nextafter(1.0, 0.0)) == 3);
}

BOOST_AUTO_TEST_CASE(a_draw_never_takes_what_was_removed) {
  const float never = -std::numeric_limits<float>::infinity();
  const at::Tensor some = at::tensor({never, 1.0f, never});
  BOOST_TEST(draw(some, 0.0) == 1);
  BOOST_TEST(draw(some, std::nextafter(1.0, 0.0)) == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
