#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>

#include "tests/engine/model/tiny_model.h"

namespace qspec {
namespace {

using tiny::largest_difference;
using tiny::run_ops;

constexpr double kEps = 0.1;

Json norm(const char* op, const char* weighting = nullptr) {
  Json instruction = {{"op", op},     {"x", "x"},    {"weight", "n"},
                      {"shape", {7}}, {"eps", kEps}, {"out", "out"}};
  if (weighting != nullptr) instruction["weighting"] = weighting;
  return instruction;
}

Weights weight_of(at::ScalarType dtype) {
  at::manual_seed(4);
  Weights weights;
  weights["n"].weight = at::randn({7}).to(dtype);
  return weights;
}

at::Tensor over_root_mean_square(const at::Tensor& x) {
  const at::Tensor wide = x.to(at::kFloat);
  return wide * (wide.pow(2).mean(-1, true) + kEps).rsqrt();
}

at::Tensor halves() {
  at::manual_seed(5);
  return (at::randn({3, 7}) * 4 + 1).to(at::kHalf);
}

BOOST_AUTO_TEST_SUITE(norm_tests)

BOOST_AUTO_TEST_CASE(a_weight_after_rounding_is_multiplied_in_the_dtype) {
  const Weights weights = weight_of(at::kHalf);
  const at::Tensor found = run_ops(halves(), {norm("rms_norm", "after_rounding")}, weights)[0];
  const at::Tensor wanted = over_root_mean_square(halves()).to(at::kHalf) * weights.at("n").weight;
  BOOST_TEST(at::equal(found, wanted));
}

BOOST_AUTO_TEST_CASE(a_weight_before_rounding_is_multiplied_in_float) {
  const Weights weights = weight_of(at::kHalf);
  const at::Tensor found = run_ops(halves(), {norm("rms_norm", "before_rounding")}, weights)[0];
  const at::Tensor wanted =
      (over_root_mean_square(halves()) * weights.at("n").weight).to(at::kHalf);
  BOOST_TEST(at::equal(found, wanted));
}

BOOST_AUTO_TEST_CASE(a_weight_of_zero_is_one_where_the_distance_from_one_is_stored) {
  Weights weights;
  weights["n"].weight = at::zeros({7}, at::kHalf);
  const at::Tensor found = run_ops(halves(), {norm("rms_norm", "one_plus")}, weights)[0];
  BOOST_TEST(at::equal(found, over_root_mean_square(halves()).to(at::kHalf)));
}

BOOST_AUTO_TEST_CASE(a_weight_after_its_own_rounding_decides_the_dtype) {
  const at::Tensor x = halves().to(at::kFloat) + 1e-4;
  const Weights weights = weight_of(at::kHalf);
  const at::Tensor found = run_ops(x, {norm("rms_norm", "after_own_rounding")}, weights)[0];
  const at::Tensor wanted = over_root_mean_square(x).to(at::kHalf) * weights.at("n").weight;
  BOOST_TEST((found.scalar_type() == at::kHalf));
  BOOST_TEST(at::equal(found, wanted));
}

BOOST_AUTO_TEST_CASE(the_bare_rms_norm_has_no_weight_to_ask_for) {
  const Json bare = {{"op", "rms_norm_bare"}, {"x", "x"}, {"eps", kEps}, {"out", "out"}};
  BOOST_TEST(
      at::equal(run_ops(halves(), {bare})[0], over_root_mean_square(halves()).to(at::kHalf)));
}

BOOST_AUTO_TEST_CASE(the_fp32_layer_norm_rounds_once) {
  const Weights weights = weight_of(at::kHalf);
  const at::Tensor found = run_ops(halves(), {norm("layer_norm_fp32")}, weights)[0];
  const at::Tensor exact = at::layer_norm(halves().to(at::kDouble), {7},
                                          weights.at("n").weight.to(at::kDouble), {}, kEps);
  BOOST_TEST((found.scalar_type() == at::kHalf));
  BOOST_TEST(largest_difference(found.to(at::kDouble), exact) < 4e-3);
}

BOOST_AUTO_TEST_CASE(the_bare_layer_norm_has_no_weight_to_ask_for) {
  const at::Tensor found = run_ops(
      halves(), {{{"op", "layer_norm_bare"}, {"x", "x"}, {"eps", kEps}, {"out", "out"}}})[0];
  const at::Tensor wanted =
      at::layer_norm(halves().to(at::kFloat), {7}, {}, {}, kEps).to(at::kHalf);
  BOOST_TEST(at::equal(found, wanted));
}

BOOST_AUTO_TEST_CASE(a_layer_norm_can_store_the_distance_from_one) {
  Weights weights = weight_of(at::kFloat);
  Json shifted = norm("layer_norm");
  shifted["plus_one"] = true;
  const at::Tensor x = at::randn({3, 7});
  const at::Tensor found = run_ops(x, {shifted}, weights)[0];
  weights["n"].weight = weights["n"].weight + 1;
  BOOST_TEST(at::equal(found, run_ops(x, {norm("layer_norm")}, weights)[0]));
}

BOOST_AUTO_TEST_CASE(each_head_can_have_a_layer_norm_of_its_own) {
  at::manual_seed(6);
  const at::Tensor x = at::randn({4, 6});
  Weights weights;
  weights["n0"].weight = at::randn({3});
  weights["n1"].weight = at::randn({3});
  const at::Tensor found = run_ops(x,
                                   {{{"op", "view_heads"}, {"x", "x"}, {"width", 3}, {"out", "h"}},
                                    {{"op", "layer_norm_by_head"},
                                     {"x", "h"},
                                     {"weights", {"n0", "n1"}},
                                     {"shape", {3}},
                                     {"eps", kEps},
                                     {"out", "out"}}},
                                   weights)[0];
  const at::Tensor heads = x.view({4, 2, 3});
  for (int64_t head = 0; head < 2; ++head) {
    const at::Tensor weight = weights["n" + std::to_string(head)].weight;
    const at::Tensor wanted = at::layer_norm(heads.select(1, head), {3}, weight, {}, kEps);
    BOOST_TEST(largest_difference(found[head], wanted) < 1e-6);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
