#include "engine/model/token_batch.h"

#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>

#include "engine/core/error.h"

namespace qspec {
namespace {

using Sequences = std::vector<std::vector<int64_t>>;

BOOST_AUTO_TEST_SUITE(token_batch_tests)

BOOST_AUTO_TEST_CASE(pads_the_shorter_ones_on_the_left) {
  const TokenBatch batch = make_batch(Sequences{{7}, {1, 2, 3}}, 10);
  BOOST_TEST(at::equal(batch.ids, at::tensor({0, 0, 7, 1, 2, 3}, at::kLong).view({2, 3})));
  BOOST_TEST(at::equal(batch.keys, at::tensor({0, 0, 1, 1, 1, 1}, at::kLong).view({2, 3})));
}

BOOST_AUTO_TEST_CASE(refuses_ids_outside_the_vocabulary) {
  for (const int64_t id : {int64_t{-1}, int64_t{10}, INT64_MAX, INT64_MIN}) {
    BOOST_CHECK_THROW(make_batch(Sequences{{0, id}}, 10), Error);
  }
}

BOOST_AUTO_TEST_CASE(refuses_no_sequence_and_an_empty_one) {
  BOOST_CHECK_THROW(make_batch(Sequences{}, 10), Error);
  BOOST_CHECK_THROW(make_batch(Sequences{{}}, 10), Error);
  BOOST_CHECK_THROW(make_batch(Sequences{{1}, {}}, 10), Error);
}

BOOST_AUTO_TEST_CASE(refuses_a_sequence_that_is_too_long) {
  BOOST_CHECK_THROW(make_batch(Sequences{std::vector<int64_t>(kMaxTokens + 1)}, 10), Error);
  BOOST_CHECK_NO_THROW(make_batch(Sequences{std::vector<int64_t>(kMaxTokens)}, 10));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
