#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "engine/core/error.h"
#include "tests/engine/model/tiny_model.h"

namespace qspec {
namespace {

using tiny::largest_difference;
using tiny::run_ops;

constexpr int64_t kExperts = 4, kWidth = 5, kInner = 3;

// A router that hands the tokens' first numbers on as logits.
Weights router() {
  Weights weights;
  weights["r"].weight = at::eye(kExperts, kWidth);
  return weights;
}

Json route(const char* score, Json changes, const char* experts, const char* shares) {
  Json instruction = {{"op", "route"},      {"x", "x"},
                      {"weight", "r"},      {"shape", {kExperts, kWidth}},
                      {"score", score},     {"chosen", 2},
                      {"scale", 1.0},       {"groups", 1},
                      {"chosen_groups", 1}, {"out", {experts, shares}}};
  instruction.update(changes);
  return instruction;
}

at::Tensor shares(const at::Tensor& x, const char* score, const Json& changes = Json::object()) {
  return run_ops(x, {route(score, changes, "e", "out")}, router());
}

at::Tensor chosen(const at::Tensor& x, const char* score, const Json& changes = Json::object(),
                  Weights weights = router()) {
  return run_ops(x, {route(score, changes, "out", "s")}, std::move(weights));
}

at::Tensor token() {
  return at::tensor({1.0F, 3.0F, 2.5F, -1.0F, 9.0F}).view({1, kWidth});
}

at::Tensor ids(std::initializer_list<int64_t> values) {
  return at::tensor(std::vector<int64_t>(values)).view({1, -1});
}

Weights experts_and_router() {
  at::manual_seed(12);
  Weights weights;
  weights["r"].weight = at::randn({kExperts, kWidth});
  weights["gu"].weight = at::randn({kExperts, 2 * kInner, kWidth});
  weights["d"].weight = at::randn({kExperts, kWidth, kInner});
  return weights;
}

Json mixture(Json changes = Json::object()) {
  Json instruction = {{"op", "experts"},      {"x", "x"},
                      {"experts", "e"},       {"shares", "s"},
                      {"gate_up", "gu"},      {"gate_up_shape", {kExperts, 2 * kInner, kWidth}},
                      {"down", "d"},          {"down_shape", {kExperts, kWidth, kInner}},
                      {"activation", "silu"}, {"out", "out"}};
  instruction.update(changes);
  return instruction;
}

at::Tensor mixed(const at::Tensor& x, const Json& changes, const Weights& weights) {
  const Json none = Json::object();
  return run_ops(x, {route("softmax_then_top", none, "e", "s"), mixture(changes)}, weights)[0];
}

// Token by token, each with its two experts.
at::Tensor by_hand(const at::Tensor& x, const Weights& weights) {
  at::Tensor all = at::zeros_like(x);
  for (int64_t t = 0; t < x.size(0); ++t) {
    const at::Tensor logits = at::matmul(weights.at("r").weight, x[t]);
    const auto [best, which] = at::softmax(logits, 0).topk(2);
    for (int64_t i = 0; i < 2; ++i) {
      const int64_t e = which[i].item<int64_t>();
      const auto parts = at::matmul(weights.at("gu").weight[e], x[t]).chunk(2);
      const at::Tensor inner = at::silu(parts[0]) * parts[1];
      all[t] += best[i] * at::matmul(weights.at("d").weight[e], inner);
    }
  }
  return all;
}

std::string refusal(const Json& changes) {
  try {
    chosen(token(), "sigmoid", changes);
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

BOOST_AUTO_TEST_SUITE(experts_tests)

BOOST_AUTO_TEST_CASE(shares_of_a_softmax_over_all_may_leave_some_to_the_others) {
  const at::Tensor all = at::softmax(token().narrow(1, 0, kExperts), -1);
  const at::Tensor found = shares(token(), "softmax_then_top");
  BOOST_TEST(at::equal(chosen(token(), "softmax_then_top"), ids({1, 2})));
  BOOST_TEST(largest_difference(found, all.index_select(1, ids({1, 2}).flatten())) < 1e-6);
}

BOOST_AUTO_TEST_CASE(normalized_shares_sum_to_one) {
  const at::Tensor found = shares(token(), "softmax_then_top", {{"normalize", true}});
  BOOST_TEST(std::abs(found.sum().item<double>() - 1) < 1e-6);
}

BOOST_AUTO_TEST_CASE(a_softmax_over_the_chosen_is_that_of_their_logits) {
  const at::Tensor found = shares(token(), "top_then_softmax");
  BOOST_TEST(largest_difference(found, at::softmax(at::tensor({3.0F, 2.5F}).view({1, 2}), -1)) <
             1e-6);
}

BOOST_AUTO_TEST_CASE(a_sigmoid_of_the_chosen_knows_nothing_of_the_others) {
  const at::Tensor wanted = at::sigmoid(at::tensor({3.0F, 2.5F})).view({1, 2});
  BOOST_TEST(largest_difference(shares(token(), "top_then_sigmoid"), wanted) < 1e-6);
  BOOST_TEST(at::equal(chosen(token(), "top_then_sigmoid"), ids({1, 2})));
}

// Of the logits 1, 3, 2.5, -1 only 2.5 comes within 2 * 0.1 of 3, as a share of 3: both are in the
// first softmax. With 3 left out, 1 is too far from 2.5: the second expert stands alone.
BOOST_AUTO_TEST_CASE(a_sparse_mixer_shares_with_what_comes_near) {
  const Json near = {{"jitter", 0.1}};
  const float first = 1 / (1 + std::exp(-0.5F));
  const at::Tensor wanted = at::tensor({first, 1.0F}).view({1, 2});
  BOOST_TEST(largest_difference(shares(token(), "sparse_mixer", near), wanted) < 1e-6);
  BOOST_TEST(at::equal(chosen(token(), "sparse_mixer", near), ids({1, 2})));
}

BOOST_AUTO_TEST_CASE(a_sparse_mixer_without_jitter_shares_with_nobody) {
  const at::Tensor found = shares(token(), "sparse_mixer", {{"jitter", 0.0}});
  BOOST_TEST(at::equal(found, at::ones({1, 2})));
}

BOOST_AUTO_TEST_CASE(a_correction_steers_the_choice_and_not_the_share) {
  Weights weights = router();
  weights["c"].weight = at::tensor({5.0F, 0.0F, 0.0F, 0.0F});
  const Json corrected = {{"correction", "c"}, {"correction_shape", {kExperts}}};
  BOOST_TEST(at::equal(chosen(token(), "sigmoid", corrected, weights), ids({0, 1})));
  const at::Tensor found = run_ops(token(), {route("sigmoid", corrected, "e", "out")}, weights);
  BOOST_TEST(largest_difference(found, at::sigmoid(at::tensor({1.0F, 3.0F}).view({1, 2}))) < 1e-6);
}

BOOST_AUTO_TEST_CASE(only_experts_of_the_best_groups_are_chosen) {
  // Groups {0, 1} and {2, 3}: the best expert is in the first, the better sum in the first too.
  const Json groups = {{"groups", 2}, {"chosen_groups", 1}};
  BOOST_TEST(at::equal(chosen(token(), "softmax_then_top", groups), ids({1, 0})));
  BOOST_TEST(at::equal(chosen(token(), "sigmoid", groups), ids({1, 0})));
}

BOOST_AUTO_TEST_CASE(shares_are_scaled_and_cast_when_asked) {
  const at::Tensor x = token().to(at::kHalf);
  Weights weights;
  weights["r"].weight = at::eye(kExperts, kWidth).to(at::kHalf);
  const auto found = [&](const Json& changes) {
    return run_ops(x, {route("softmax_then_top", changes, "e", "out")}, weights);
  };
  BOOST_TEST((found(Json::object()).scalar_type() == at::kFloat));
  BOOST_TEST((found({{"cast", true}}).scalar_type() == at::kHalf));
  BOOST_TEST(largest_difference(found({{"scale", 3.0}}), found(Json::object()) * 3) < 1e-6);
}

BOOST_AUTO_TEST_CASE(a_choice_that_cannot_be_made_is_refused) {
  BOOST_TEST(refusal({{"groups", 3}}).ends_with("groups do not divide the experts"));
  BOOST_TEST(refusal({{"groups", 2}, {"chosen_groups", 3}})
                 .ends_with("more groups chosen than there are"));
  BOOST_TEST(refusal({{"chosen", 5}}).ends_with("more experts chosen than there are"));
  BOOST_TEST(refusal({{"groups", 4}, {"chosen_groups", 2}})
                 .ends_with("groups of one expert have no best two"));
}

BOOST_AUTO_TEST_CASE(experts_are_what_each_token_makes_of_its_own) {
  const Weights weights = experts_and_router();
  const at::Tensor x = at::randn({9, kWidth});
  BOOST_TEST(largest_difference(mixed(x, Json::object(), weights), by_hand(x, weights)) < 1e-4);
}

// A gate of relu is homogeneous: an input times s makes s * s of the output.
BOOST_AUTO_TEST_CASE(a_share_that_comes_first_scales_the_input) {
  at::manual_seed(13);
  const at::Tensor x = at::randn({1, kWidth});
  const Weights weights = experts_and_router();
  const Json one = {{"chosen", 1}};
  const auto made = [&](bool first) {
    const Json op = mixture({{"activation", "relu"}, {"share_first", first}});
    return run_ops(x, {route("top_then_sigmoid", one, "e", "s"), op}, weights)[0];
  };
  const double share = at::sigmoid(at::matmul(weights.at("r").weight, x[0]).max()).item<double>();
  BOOST_TEST(made(false).abs().max().item<double>() > 1e-3);
  BOOST_TEST(largest_difference(made(true), made(false) * share) < 1e-5);
}

BOOST_AUTO_TEST_CASE(transposed_experts_are_the_same_experts) {
  Weights weights = experts_and_router();
  const at::Tensor x = at::randn({9, kWidth});
  const at::Tensor wanted = mixed(x, Json::object(), weights);
  weights["gu"].weight = weights["gu"].weight.transpose(1, 2).contiguous();
  weights["d"].weight = weights["d"].weight.transpose(1, 2).contiguous();
  const Json turned = {{"transposed", true},
                       {"gate_up_shape", {kExperts, kWidth, 2 * kInner}},
                       {"down_shape", {kExperts, kInner, kWidth}}};
  BOOST_TEST(largest_difference(mixed(x, turned, weights), wanted) < 1e-5);
}

BOOST_AUTO_TEST_CASE(offsets_are_added_for_the_tokens_of_their_expert) {
  Weights weights = experts_and_router();
  weights["o"].weight = at::arange(kExperts).to(at::kFloat).unsqueeze(1).expand({-1, kWidth});
  const at::Tensor x = at::randn({9, kWidth});
  const Json none = Json::object();
  const at::Tensor experts = run_ops(x, {route("softmax_then_top", none, "out", "s")}, weights);
  const at::Tensor share = run_ops(x, {route("softmax_then_top", none, "e", "out")}, weights);
  const Json with = {{"down_offsets", "o"}, {"down_offsets_shape", {kExperts, kWidth}}};
  const at::Tensor added = mixed(x, with, weights) - mixed(x, none, weights);
  const at::Tensor wanted = (experts.to(at::kFloat) * share).sum(1, true).expand({-1, kWidth});
  BOOST_TEST(largest_difference(added, wanted) < 1e-4);
}

BOOST_AUTO_TEST_CASE(a_limit_keeps_gate_and_up_which_take_turns) {
  Weights weights = experts_and_router();
  weights["gu"].weight = weights["gu"].weight * 10;
  const at::Tensor x = at::randn({1, kWidth});
  const at::Tensor found = mixed(x, {{"limit", 2.0}}, weights);
  at::Tensor wanted = at::zeros({kWidth});
  const at::Tensor logits = at::matmul(weights["r"].weight, x[0]);
  const auto [best, which] = at::softmax(logits, 0).topk(2);
  for (int64_t i = 0; i < 2; ++i) {
    const int64_t e = which[i].item<int64_t>();
    const at::Tensor both = at::matmul(weights["gu"].weight[e], x[0]);
    const at::Tensor gate = both.slice(0, 0, 2 * kInner, 2).clamp_max(2);
    const at::Tensor up = both.slice(0, 1, 2 * kInner, 2).clamp(-2, 2);
    const at::Tensor inner = (up + 1) * gate * at::sigmoid(1.702 * gate);
    wanted += best[i] * at::matmul(weights["d"].weight[e], inner);
  }
  BOOST_TEST(largest_difference(found[0], wanted) < 1e-3);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
