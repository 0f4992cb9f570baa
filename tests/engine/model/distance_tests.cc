#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>

#include <limits>

#include "engine/core/error.h"
#include "tests/engine/model/tiny_model.h"

namespace qspec {
namespace {

using tiny::run_ops;

constexpr int64_t kBuckets = 8;

Json distance(bool both_ways, int64_t longest = 16, const char* out = "out") {
  return {{"op", "distance_bias"},
          {"keys", "keys"},
          {"like", "x"},
          {"weight", "b"},
          {"shape", {kBuckets, 1}},
          {"longest", longest},
          {"both_ways", both_ways},
          {"out", out}};
}

// One head, whose bias is the number of the bucket.
Weights numbered(at::ScalarType dtype = at::kFloat) {
  Weights weights;
  weights["b"].weight = at::arange(kBuckets).view({kBuckets, 1}).to(dtype);
  return weights;
}

// By query and key.
at::Tensor buckets(int64_t tokens, bool both_ways, int64_t longest = 16) {
  return run_ops(at::zeros({tokens, 3}), {distance(both_ways, longest)}, numbered())[0][0].to(
      at::kLong);
}

at::Tensor longs(std::vector<int64_t> values) {
  return at::tensor(values);
}

BOOST_AUTO_TEST_SUITE(distance_tests)

// 4 distances of their own, then 4 + 4 log(d / 4) / log(16 / 4): 5 from 5.66 on, 6 from 8, 7 from
// 11.3.
BOOST_AUTO_TEST_CASE(earlier_keys_have_the_buckets_of_their_distance) {
  const at::Tensor last = buckets(14, false)[13].flip(0);
  BOOST_TEST(at::equal(last, longs({0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 6, 7, 7})));
}

BOOST_AUTO_TEST_CASE(later_keys_count_as_distance_0_one_way) {
  BOOST_TEST(at::equal(buckets(3, false)[0], longs({0, 0, 0})));
}

BOOST_AUTO_TEST_CASE(later_keys_have_the_second_half_of_the_buckets_both_ways) {
  const at::Tensor found = buckets(4, true, 8);
  BOOST_TEST(at::equal(found[0], longs({0, 5, 6, 6})));
  BOOST_TEST(at::equal(found[3], longs({2, 2, 1, 0})));
}

BOOST_AUTO_TEST_CASE(distances_beyond_the_longest_share_the_last_bucket) {
  const at::Tensor last = buckets(40, false)[39];
  BOOST_TEST(at::equal(last.narrow(0, 0, 24), at::full({24}, kBuckets - 1, at::kLong)));
}

BOOST_AUTO_TEST_CASE(a_longest_distance_within_the_exact_ones_is_refused) {
  BOOST_CHECK_THROW(buckets(3, false, 4), Error);
}

Json masked() {
  return {{"op", "masked_bias"}, {"bias", "bias"}, {"mask", "mask"}, {"out", "out"}};
}

BOOST_AUTO_TEST_CASE(a_masked_bias_is_the_lowest_number_of_its_dtype_where_nothing_is_seen) {
  const Json mask = {{"op", "attention_mask"}, {"keys", "keys"}, {"like", "x"}, {"window", 0},
                     {"always", true},         {"out", "mask"}};
  for (const auto dtype : {at::kHalf, at::kBFloat16, at::kFloat}) {
    const at::Tensor found =
        run_ops(at::zeros({2, 3}, dtype), {distance(false, 16, "bias"), mask, masked()},
                numbered(dtype))[0][0];
    const at::Tensor lowest = dtype == at::kHalf ? at::full({}, -65504.0)
                              : dtype == at::kFloat
                                  ? at::full({}, std::numeric_limits<float>::lowest())
                                  : at::full({}, -0x1.fep127);
    BOOST_TEST(found[0][1].to(at::kFloat).item<float>() == lowest.item<float>());
    BOOST_TEST(found[1][0].item<float>() == 1);
  }
}

BOOST_AUTO_TEST_CASE(a_bias_without_a_mask_stays_as_it_is) {
  const Json mask = {{"op", "token_mask"}, {"keys", "keys"}, {"out", "mask"}};
  const at::Tensor found =
      run_ops(at::zeros({3, 3}), {distance(true, 8, "bias"), mask, masked()}, numbered());
  BOOST_TEST(at::equal(found[0][0].to(at::kLong), buckets(3, true, 8)));
}

at::Tensor clamped(const at::Tensor& x) {
  return run_ops(x, {{{"op", "within_fp16"}, {"x", "x"}, {"out", "out"}}})[0];
}

BOOST_AUTO_TEST_CASE(infinities_of_fp16_become_the_largest_number_less_a_thousand) {
  const float infinity = std::numeric_limits<float>::infinity();
  const at::Tensor x = at::tensor({infinity, -infinity, 65504.0F, 3.0F}).view({1, 4});
  const at::Tensor wanted = at::tensor({64504.0F, -64504.0F, 64504.0F, 3.0F}).to(at::kHalf);
  BOOST_TEST(at::equal(clamped(x.to(at::kHalf))[0], wanted));
}

BOOST_AUTO_TEST_CASE(finite_fp16_and_other_dtypes_pass) {
  const at::Tensor x = at::tensor({65504.0F, -1.0F}).view({1, 2});
  BOOST_TEST(at::equal(clamped(x.to(at::kHalf)), x.to(at::kHalf)));
  const at::Tensor wide = at::full({1, 2}, std::numeric_limits<float>::infinity());
  BOOST_TEST(at::equal(clamped(wide), wide));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
