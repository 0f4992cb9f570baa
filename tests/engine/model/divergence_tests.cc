#include "engine/model/divergence.h"

#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "engine/core/error.h"
#include "tests/engine/model/tiny_model.h"

namespace qspec {
namespace {

double largest(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

BOOST_AUTO_TEST_SUITE(divergence_tests)

BOOST_AUTO_TEST_CASE(is_that_of_the_definition_in_every_dtype) {
  at::manual_seed(2);
  for (const auto dtype : {at::kFloat, at::kHalf, at::kBFloat16}) {
    const at::Tensor q = at::randn({5, 37}).mul_(4).to(dtype);
    const at::Tensor p = at::randn({5, 37}).mul_(4).to(dtype);
    const at::Tensor tokens = at::randint(0, 37, {5}, at::kLong);
    const Divergence found = divergence(q, p, tokens);
    const at::Tensor log_q = at::log_softmax(q.to(at::kDouble), 1);
    const at::Tensor log_p = at::log_softmax(p.to(at::kDouble), 1);
    const auto likelihood = [&](const at::Tensor& logs) {
      return logs.gather(1, tokens.unsqueeze(1)).squeeze(1).neg();
    };
    BOOST_TEST(largest(found.kl, (log_p.exp() * (log_p - log_q)).sum(1)) < 1e-12);
    BOOST_TEST(largest(found.nll, likelihood(log_q)) < 1e-12);
    BOOST_TEST(largest(found.baseline_nll, likelihood(log_p)) < 1e-12);
    BOOST_TEST(at::equal(found.same_top, q.argmax(1).eq(p.argmax(1))));
  }
}

BOOST_AUTO_TEST_CASE(equal_logits_have_none) {
  const at::Tensor logits = at::randn({3, 7}), tokens = at::zeros({3}, at::kLong);
  const Divergence found = divergence(logits, logits + 5, tokens);  // a shift is no change
  BOOST_TEST(found.kl.abs().max().item<double>() < 1e-6);
  BOOST_TEST(found.same_top.all().item<bool>());
}

BOOST_AUTO_TEST_CASE(margins_are_of_the_best_token_of_the_baseline) {
  const at::Tensor p = at::tensor({1.0f, 4.0f, 3.5f, 4.0f, 1.0f, 2.0f}).view({2, 3});
  const at::Tensor q = at::tensor({1.0f, 3.0f, 3.25f, 5.0f, 1.0f, 2.0f}).view({2, 3});
  const Divergence found = divergence(q, p, at::zeros({2}, at::kLong));
  BOOST_TEST(at::equal(found.baseline_margin, at::tensor({0.5, 2.0}, at::kDouble)));
  BOOST_TEST(at::equal(found.margin, at::tensor({-0.25, 3.0}, at::kDouble)));
}

BOOST_AUTO_TEST_CASE(the_margin_of_a_tie_is_zero_and_that_of_a_single_token_infinite) {
  const at::Tensor tie = at::tensor({2.0f, 2.0f}).view({1, 2});
  BOOST_TEST(divergence(tie, tie, at::zeros({1}, at::kLong)).margin.item<double>() == 0.0);
  const at::Tensor single = at::ones({1, 1});
  const Divergence alone = divergence(single, single, at::zeros({1}, at::kLong));
  BOOST_TEST(std::isinf(alone.margin.item<double>()));
}

BOOST_AUTO_TEST_CASE(of_two_dtypes_neither_is_rounded) {
  const at::Tensor narrow = at::tensor({1.0f, 2.0f}).view({1, 2}).to(at::kBFloat16);
  const at::Tensor wide = at::tensor({1.0f, 2.001f}).view({1, 2});
  const at::Tensor tokens = at::zeros({1}, at::kLong);
  const auto same = divergence(narrow.to(at::kFloat), wide, tokens).kl.item<double>();
  BOOST_TEST(same > 0);
  BOOST_TEST(divergence(narrow, wide, tokens).kl.item<double>() == same);
}

BOOST_AUTO_TEST_CASE(an_excluded_token_counts_only_where_the_baseline_has_it) {
  const float never = -std::numeric_limits<float>::infinity();
  const at::Tensor open = at::tensor({1.0f, 1.0f}).view({1, 2});
  const at::Tensor shut = at::tensor({1.0f, never}).view({1, 2});
  const at::Tensor tokens = at::zeros({1}, at::kLong);
  BOOST_TEST(std::isinf(divergence(shut, open, tokens).kl.item<double>()));
  BOOST_TEST(divergence(open, shut, tokens).kl.item<double>() == std::log(2.0),
             boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(models_are_compared_behind_their_context) {
  const Model model(tiny::decoder_program(), tiny::decoder_weights());
  const std::vector<int64_t> ids = {1, 5, 2, 9, 3};
  const Divergence all = compare_models(model, model, ids);
  const Divergence last = compare_models(model, model, ids, 3);
  BOOST_TEST(all.nll.numel() == 4);
  BOOST_TEST(at::equal(last.nll, all.nll.narrow(0, 2, 2)));
  BOOST_TEST(all.kl.max().item<double>() == 0.0);
  BOOST_CHECK_THROW(compare_models(model, model, ids, 5), Error);
  BOOST_CHECK_THROW(compare_models(model, model, ids, 0), Error);
}

BOOST_AUTO_TEST_CASE(models_of_two_vocabularies_are_refused) {
  const Model model(tiny::decoder_program(), tiny::decoder_weights());
  const Model other(tiny::counting_program(6), tiny::counting_weights(6));
  BOOST_CHECK_EXCEPTION(compare_models(model, other, {1, 2}), Error, [](const Error& error) {
    return error.message() == "the model has a vocabulary of 11, the baseline one of 6";
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
