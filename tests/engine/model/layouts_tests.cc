#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "engine/core/error.h"
#include "tests/engine/model/tiny_model.h"

namespace qspec {
namespace {

using tiny::largest_difference;
using tiny::run_ops;

// Part 0, 1 or 2 (q, k, v) of a fused projection, [heads, T, 2].
at::Tensor part(const at::Tensor& x, const char* layout, int64_t heads, int64_t kv_heads,
                size_t which) {
  std::vector<std::string> names = {"q", "k", "v"};
  names[which] = "out";
  return run_ops(x, {{{"op", "split_heads"},
                      {"x", "x"},
                      {"layout", layout},
                      {"heads", heads},
                      {"kv_heads", kv_heads},
                      {"width", 2},
                      {"out", names}}})[0];
}

Json linear(Json changes) {
  Json instruction = {{"op", "linear"},  {"x", "x"},     {"weight", "w"},
                      {"shape", {4, 3}}, {"bias", true}, {"out", "out"}};
  instruction.update(changes);
  return instruction;
}

BOOST_AUTO_TEST_SUITE(layouts_tests)

BOOST_AUTO_TEST_CASE(per_group_rows_hold_a_groups_queries_and_its_key_and_value) {
  const at::Tensor x = at::arange(3 * 16).view({3, 16}).to(at::kFloat);  // 2 groups of 2 queries
  const at::Tensor groups = x.view({3, 2, 4, 2});
  BOOST_TEST(at::equal(part(x, "per_group", 4, 2, 0),
                       groups.narrow(2, 0, 2).flatten(1, 2).transpose(0, 1)));
  BOOST_TEST(at::equal(part(x, "per_group", 4, 2, 1), groups.select(2, 2).transpose(0, 1)));
  BOOST_TEST(at::equal(part(x, "per_group", 4, 2, 2), groups.select(2, 3).transpose(0, 1)));
}

BOOST_AUTO_TEST_CASE(codegen_rows_are_four_blocks_with_the_value_before_the_key) {
  const at::Tensor x = at::arange(3 * 24).view({3, 24}).to(at::kFloat);  // 4 heads, one a block
  const at::Tensor blocks = x.view({3, 4, 3, 2});
  BOOST_TEST(at::equal(part(x, "codegen", 4, 4, 0), blocks.select(2, 0).transpose(0, 1)));
  BOOST_TEST(at::equal(part(x, "codegen", 4, 4, 1), blocks.select(2, 2).transpose(0, 1)));
  BOOST_TEST(at::equal(part(x, "codegen", 4, 4, 2), blocks.select(2, 1).transpose(0, 1)));
}

BOOST_AUTO_TEST_CASE(a_transposed_linear_is_multiplied_as_it_lies) {
  at::manual_seed(13);
  const at::Tensor x = at::randn({5, 3});
  Weights weights;
  weights["w"].weight = at::randn({3, 4});
  weights["w"].bias = at::randn({4});
  const Json turned = {{"transposed", true}, {"shape", {3, 4}}};
  const at::Tensor found = run_ops(x, {linear(turned)}, weights)[0];
  BOOST_TEST(largest_difference(found, at::matmul(x, weights["w"].weight) + weights["w"].bias) <
             1e-6);
}

BOOST_AUTO_TEST_CASE(a_separate_bias_is_added_to_the_rounded_product) {
  at::manual_seed(14);
  const at::Tensor x = at::randn({5, 3}).to(at::kHalf);
  Weights weights;
  weights["w"].weight = at::randn({4, 3}).to(at::kHalf);
  weights["w"].bias = at::randn({4}).to(at::kHalf);
  const at::Tensor found = run_ops(x, {linear({{"separate_bias", true}})}, weights)[0];
  BOOST_TEST(at::equal(found, at::linear(x, weights["w"].weight) + weights["w"].bias));
}

BOOST_AUTO_TEST_CASE(parts_of_the_last_dimension_come_apart_and_together) {
  const at::Tensor x = at::randn({5, 6});
  const Json split = {{"op", "split"}, {"x", "x"}, {"sizes", {2, 4}}, {"out", {"a", "b"}}};
  const at::Tensor found =
      run_ops(x, {split, {{"op", "concat"}, {"x", "b"}, {"y", "a"}, {"out", "out"}}})[0];
  BOOST_TEST(at::equal(found, at::cat({x.narrow(1, 2, 4), x.narrow(1, 0, 2)}, 1)));
}

BOOST_AUTO_TEST_CASE(a_number_is_rounded_to_the_dtype_only_when_asked) {
  const at::Tensor x = at::full({1, 1}, 90, at::kHalf);
  const auto scaled = [&](bool rounded) {
    return run_ops(x, {{{"op", "scale"},
                        {"x", "x"},
                        {"by", 1.00146},  // 1.00098 in fp16
                        {"rounded", rounded},
                        {"out", "out"}}})
        .item<float>();
  };
  BOOST_TEST(scaled(false) == 90.125F);
  BOOST_TEST(scaled(true) == 90.0625F);
}

BOOST_AUTO_TEST_CASE(a_cap_bends_and_a_clamp_cuts) {
  const at::Tensor x = at::tensor({-9.0F, 0.5F, 9.0F}).view({1, 3});
  const at::Tensor bent =
      run_ops(x, {{{"op", "softcap"}, {"x", "x"}, {"cap", 2.0}, {"out", "out"}}})[0];
  BOOST_TEST(largest_difference(bent, at::tanh(x / 2) * 2) < 1e-6);
  const at::Tensor cut =
      run_ops(x, {{{"op", "clamp"}, {"x", "x"}, {"low", -1.0}, {"high", 1.0}, {"out", "out"}}})[0];
  BOOST_TEST(at::equal(cut, at::tensor({-1.0F, 0.5F, 1.0F}).view({1, 3})));
}

BOOST_AUTO_TEST_CASE(a_sink_takes_its_share_of_each_heads_softmax) {
  at::manual_seed(15);
  const at::Tensor x = at::randn({5, 4});
  Weights weights;
  weights["s"].weight = at::tensor({1.5F, -0.5F});
  const at::Tensor found = run_ops(
      x,
      {{{"op", "view_heads"}, {"x", "x"}, {"width", 2}, {"out", "h"}},
       {{"op", "sink_softmax"}, {"x", "h"}, {"weight", "s"}, {"shape", {2}}, {"out", "out"}}},
      weights)[0];
  const at::Tensor scores = x.view({5, 2, 2}).transpose(0, 1);
  const at::Tensor sinks = weights["s"].weight.view({2, 1, 1}).expand({2, 5, 1});
  const at::Tensor wanted = at::softmax(at::cat({scores, sinks}, -1), -1).narrow(2, 0, 2);
  BOOST_TEST(largest_difference(found, wanted) < 1e-6);
}

BOOST_AUTO_TEST_CASE(a_position_beyond_the_learned_ones_is_refused) {
  Weights weights;
  weights["p"].weight = at::randn({4, 3});
  const Json places = {{"op", "embedding"}, {"ids", "positions"}, {"weight", "p"},
                       {"shape", {4, 3}},   {"offset", 2},        {"out", "out"}};
  const at::Tensor found = run_ops(at::zeros({2, 3}), {places}, weights)[0];
  BOOST_TEST(at::equal(found, weights["p"].weight.narrow(0, 2, 2)));
  BOOST_CHECK_EXCEPTION(run_ops(at::zeros({3, 3}), {places}, weights), Error, [](const Error& e) {
    return e.message() == "position 4 of a model that has 4 learned positions";
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
