#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "tests/engine/model/tiny_model.h"

namespace qspec {
namespace {

using tiny::largest_difference;
using tiny::run_ops;

at::Tensor activated(const at::Tensor& x, const char* kind) {
  return run_ops(x, {{{"op", "activation"}, {"x", "x"}, {"kind", kind}, {"out", "out"}}})[0];
}

BOOST_AUTO_TEST_SUITE(ops_tests)

BOOST_AUTO_TEST_CASE(layer_norm_is_the_formula_on_an_odd_width) {
  at::manual_seed(1);
  const at::Tensor x = at::randn({3, 7}) * 4 + 1;
  Weights weights;
  weights["n"].weight = at::randn({7});
  weights["n"].bias = at::randn({7});
  const at::Tensor found = run_ops(x,
                                   {{{"op", "layer_norm"},
                                     {"x", "x"},
                                     {"weight", "n"},
                                     {"shape", {7}},
                                     {"bias", true},
                                     {"eps", 0.1},
                                     {"out", "out"}}},
                                   weights)[0];
  const at::Tensor centred = x - x.mean(1, true);
  const at::Tensor wanted =
      centred / (centred.pow(2).mean(1, true) + 0.1).sqrt() * weights["n"].weight +
      weights["n"].bias;
  BOOST_TEST(largest_difference(found, wanted) < 1e-6);
}

BOOST_AUTO_TEST_CASE(bloom_gelu_rounds_after_every_step_in_half_precision) {
  const at::Tensor x = at::linspace(-6, 6, 77).view({11, 7}).to(at::kHalf);
  const at::Tensor inner = (0.79788456 * x) * (1 + (0.044715 * x) * x);
  const at::Tensor wanted = (x * 0.5) * (1.0 + at::tanh(inner));
  BOOST_TEST(at::equal(activated(x, "bloom_gelu"), wanted));
}

BOOST_AUTO_TEST_CASE(gelu_new_rounds_after_every_step_in_half_precision) {
  const at::Tensor x = at::linspace(-6, 6, 77).view({11, 7}).to(at::kHalf);
  const at::Tensor inner = std::sqrt(2.0 / M_PI) * (x + 0.044715 * at::pow(x, 3.0));
  BOOST_TEST(at::equal(activated(x, "gelu_new"), (0.5 * x) * (1.0 + at::tanh(inner))));
}

BOOST_AUTO_TEST_CASE(the_tanh_forms_of_gelu_are_near_the_exact_one) {
  const at::Tensor x = at::linspace(-4, 4, 63).view({9, 7});
  const at::Tensor exact = 0.5 * x * (1 + at::erf(x / std::sqrt(2.0)));
  BOOST_TEST(largest_difference(activated(x, "gelu"), exact) < 1e-6);
  for (const char* kind : {"gelu_new", "gelu_pytorch_tanh", "bloom_gelu"}) {
    BOOST_TEST(largest_difference(activated(x, kind), exact) < 1e-3);
  }
}

BOOST_AUTO_TEST_CASE(the_other_activations_are_their_formulas) {
  const at::Tensor x = at::linspace(-3, 3, 21).view({3, 7});
  BOOST_TEST(at::equal(activated(x, "relu"), x.clamp_min(0)));
  BOOST_TEST(at::equal(activated(x, "relu2"), x.clamp_min(0) * x.clamp_min(0)));
  BOOST_TEST(largest_difference(activated(x, "silu"), x / (1 + at::exp(-x))) < 1e-6);
}

Weights xielu_weights() {
  Weights weights;
  weights["p"].weight = at::tensor({0.4F});
  weights["n"].weight = at::tensor({-0.3F});
  weights["b"].weight = at::full({}, 0.5F);
  weights["e"].weight = at::full({}, -1e-6F);
  return weights;
}

Json xielu() {
  const Json none = Json::array();
  return {{"op", "xielu"},        {"x", "x"},           {"alpha_p", "p"},
          {"alpha_p_shape", {1}}, {"alpha_n", "n"},     {"alpha_n_shape", {1}},
          {"beta", "b"},          {"beta_shape", none}, {"eps", "e"},
          {"eps_shape", none},    {"out", "out"}};
}

BOOST_AUTO_TEST_CASE(xielu_is_a_square_above_zero_and_an_exponential_below) {
  const at::Tensor x = at::tensor({2.0F, 0.0F, -1.5F}).view({1, 3});
  const double above = std::log1p(std::exp(0.4)), below = 0.5 + std::log1p(std::exp(-0.3));
  const at::Tensor wanted =
      at::tensor({above * 4 + 1, 0.0, below * (std::expm1(-1.5) + 1.5) - 0.75});
  BOOST_TEST(largest_difference(run_ops(x, {xielu()}, xielu_weights())[0][0], wanted) < 1e-5);
}

// Positions 0 and 1, two rows in, of width 5: sines at rates 1 and 1/10000, cosines, a zero.
BOOST_AUTO_TEST_CASE(sinusoids_are_sines_and_then_cosines_at_falling_rates) {
  const Json op = {{"op", "sinusoids"}, {"positions", "positions"},
                   {"offset", 2},       {"width", 5},
                   {"like", "x"},       {"out", "out"}};
  const at::Tensor found = run_ops(at::zeros({2, 5}), {op})[0];
  for (int64_t row = 0; row < 2; ++row) {
    const double place = static_cast<double>(row) + 2, slow = place / 10000;
    const at::Tensor wanted =
        at::tensor({std::sin(place), std::sin(slow), std::cos(place), std::cos(slow), 0.0});
    BOOST_TEST(largest_difference(found[row], wanted) < 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(a_temperature_grows_with_the_turns_that_a_position_has_made) {
  const Json heads = {{"op", "view_heads"}, {"x", "x"}, {"width", 2}, {"out", "q"}};
  const Json warm = {{"op", "query_temperature"},
                     {"x", "q"},
                     {"positions", "positions"},
                     {"beta", 0.5},
                     {"original", 2},
                     {"first", 1},
                     {"precise", true},
                     {"out", "out"}};
  const at::Tensor found = run_ops(at::ones({4, 2}), {heads, warm})[0][0].select(1, 0);
  const double once = 1 + 0.5 * std::log(2.0), twice = 1 + 0.5 * std::log(3.0);
  BOOST_TEST(largest_difference(found, at::tensor({1.0, once, once, twice})) < 1e-6);
}

BOOST_AUTO_TEST_CASE(arithmetic_is_elementwise) {
  const at::Tensor x = at::arange(6).view({2, 3}).to(at::kFloat);
  const auto found = run_ops(x, {{{"op", "add"}, {"x", "x"}, {"y", "x"}, {"out", "y"}},
                                 {{"op", "mul"}, {"x", "y"}, {"y", "x"}, {"out", "y"}},
                                 {{"op", "scale"}, {"x", "y"}, {"by", 0.5}, {"out", "out"}}});
  BOOST_TEST(at::equal(found[0], x * x));
}

BOOST_AUTO_TEST_CASE(per_head_rows_interleave_query_key_and_value) {
  const at::Tensor x = at::arange(2 * 12).view({2, 12}).to(at::kFloat);  // 2 heads of width 2
  const auto part = [&](const char* q, const char* k, const char* v) {
    return run_ops(x, {{{"op", "split_heads"},
                        {"x", "x"},
                        {"layout", "per_head"},
                        {"heads", 2},
                        {"kv_heads", 2},
                        {"width", 2},
                        {"out", {q, k, v}}}})[0];
  };
  const at::Tensor heads = x.view({2, 2, 3, 2}).transpose(0, 1);  // [H, T, 3, D]
  BOOST_TEST(at::equal(part("out", "k", "v"), heads.select(2, 0)));
  BOOST_TEST(at::equal(part("q", "out", "v"), heads.select(2, 1)));
  BOOST_TEST(at::equal(part("q", "k", "out"), heads.select(2, 2)));
}

BOOST_AUTO_TEST_CASE(concat_rows_hold_fewer_key_heads_than_query_heads) {
  const at::Tensor x = at::arange(3 * 10).view({3, 10}).to(at::kFloat);  // 3 + 1 + 1 heads
  const auto part = [&](const char* q, const char* k, const char* v) {
    return run_ops(x, {{{"op", "split_heads"},
                        {"x", "x"},
                        {"layout", "concat"},
                        {"heads", 3},
                        {"kv_heads", 1},
                        {"width", 2},
                        {"out", {q, k, v}}}})[0];
  };
  BOOST_TEST(at::equal(part("out", "k", "v"), x.narrow(1, 0, 6).view({3, 3, 2}).transpose(0, 1)));
  BOOST_TEST(at::equal(part("q", "out", "v"), x.narrow(1, 6, 2).view({1, 3, 2})));
  BOOST_TEST(at::equal(part("q", "k", "out"), x.narrow(1, 8, 2).view({1, 3, 2})));
}

BOOST_AUTO_TEST_CASE(merging_heads_undoes_splitting_them) {
  const at::Tensor x = at::randn({5, 18});
  const at::Tensor found = run_ops(x, {{{"op", "split_heads"},
                                        {"x", "x"},
                                        {"layout", "concat"},
                                        {"heads", 2},
                                        {"kv_heads", 2},
                                        {"width", 3},
                                        {"out", {"q", "k", "v"}}},
                                       {{"op", "merge_heads"}, {"x", "k"}, {"out", "out"}}})[0];
  BOOST_TEST(at::equal(found, x.narrow(1, 6, 6)));
}

BOOST_AUTO_TEST_CASE(alibi_slopes_are_powers_and_rounded_to_the_dtype_with_the_position) {
  const at::Tensor x = at::zeros({5, 4}, at::kHalf);
  const Json slopes = {{{"base", 0.3}, {"first", 1}, {"step", 1}, {"count", 2}},
                       {{"base", 0.5}, {"first", 1}, {"step", 2}, {"count", 2}}};
  const at::Tensor found = run_ops(
      x, {{{"op", "alibi"}, {"keys", "keys"}, {"slopes", slopes}, {"like", "x"}, {"out", "out"}}});
  const std::vector<double> wanted = {0.3, 0.3 * 0.3, 0.5, 0.125};
  BOOST_TEST(found.sizes().vec() == (std::vector<int64_t>{4, 1, 5}));
  BOOST_TEST((found.scalar_type() == at::kHalf));
  for (int64_t head = 0; head < 4; ++head) {
    for (int64_t key = 0; key < 5; ++key) {
      const float slope = static_cast<float>(wanted[static_cast<size_t>(head)]);
      const auto rounded = static_cast<c10::Half>(slope * static_cast<float>(key));
      BOOST_TEST(found[head][0][key].item<float>() == static_cast<float>(rounded));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_causal_mask_hides_later_keys_with_the_lowest_number) {
  const at::Tensor x = at::zeros({3, 2}, at::kHalf);
  const at::Tensor found =
      run_ops(x, {{{"op", "causal_mask"}, {"keys", "keys"}, {"like", "x"}, {"out", "out"}}})[0][0];
  for (int64_t query = 0; query < 3; ++query) {
    for (int64_t key = 0; key < 3; ++key) {
      BOOST_TEST(found[query][key].item<float>() == (key > query ? -65504.0f : 0.0f));
    }
  }
}

BOOST_AUTO_TEST_CASE(softmax_of_halves_is_computed_in_float) {
  const at::Tensor x = (at::randn({4, 9}) * 10).to(at::kHalf);
  const at::Tensor found = run_ops(x, {{{"op", "softmax"}, {"x", "x"}, {"out", "out"}}})[0];
  const at::Tensor exact = at::exp(x.to(at::kDouble) - x.to(at::kDouble).amax(1, true));
  const at::Tensor wanted = (exact / exact.sum(1, true)).to(at::kHalf);
  BOOST_TEST((found.scalar_type() == at::kHalf));
  BOOST_TEST(largest_difference(found.to(at::kDouble), wanted.to(at::kDouble)) < 5e-4);
}

BOOST_AUTO_TEST_CASE(positions_can_index_a_table) {
  const at::Tensor x = at::zeros({3, 1});
  Weights weights;
  weights["p"].weight = at::arange(10).view({5, 2}).to(at::kFloat);
  const at::Tensor found = run_ops(x,
                                   {{{"op", "embedding"},
                                     {"ids", "positions"},
                                     {"weight", "p"},
                                     {"shape", {5, 2}},
                                     {"out", "out"}}},
                                   weights)[0];
  BOOST_TEST(at::equal(found, weights["p"].weight.narrow(0, 0, 3)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
