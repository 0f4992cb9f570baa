#include "engine/model/next_token.h"

#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "tests/engine/model/tiny_model.h"

namespace qspec {
namespace {

Model decoder_of(at::ScalarType dtype) {
  Weights weights = tiny::decoder_weights();
  for (auto& [name, module] : weights) {
    module.weight = module.weight.to(dtype);
    if (module.bias.defined()) module.bias = module.bias.to(dtype);
  }
  return {tiny::decoder_program(), weights};
}

RunResult ran(const Model& model) {
  const TokenBatch batch = make_batch(std::vector<std::vector<int64_t>>{{1, 2, 3}, {4, 5, 6}}, 11);
  KvCache cache = model.make_cache(3);
  return model.run(batch, cache);
}

void check_alike(const GenerateStep& found, const GenerateStep& wanted) {
  BOOST_TEST(found.token == wanted.token);
  BOOST_TEST(found.runner_up == wanted.runner_up);
  BOOST_TEST(found.logit == wanted.logit);
  BOOST_TEST(found.logprob == wanted.logprob, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(found.margin == wanted.margin, boost::test_tools::tolerance(1e-6));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(next_token_tests)

BOOST_AUTO_TEST_CASE(many_rows_at_once_are_chosen_as_each_alone) {
  const std::vector<int64_t> tokens = {1, 2, 3};
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16, at::kHalf}) {
    const Model model = decoder_of(dtype);
    const RunResult run = ran(model);
    const at::Tensor logits = run.logits.flatten(0, 1), hidden = run.hidden.flatten(0, 1);
    const auto found = choose_highest(model, logits, hidden);
    BOOST_REQUIRE(found.size() == 6u);
    for (int64_t i = 0; i < logits.size(0); ++i) {
      const NextLogits next{tokens, 3, logits[i], hidden[i]};
      check_alike(found[static_cast<size_t>(i)].value(), choose(model, {}, next, 0));
    }
  }
}

BOOST_AUTO_TEST_CASE(of_equal_logits_the_first_is_chosen) {
  const Model model = decoder_of(at::kFloat);
  const at::Tensor logits = at::zeros({1, 11}).index_fill_(1, at::tensor({4, 7}, at::kLong), 2);
  const auto found = choose_highest(model, logits, at::zeros({1, 15}));
  BOOST_TEST(found[0].value().token == 4);
  BOOST_TEST(found[0].value().runner_up == 7);
  BOOST_TEST(found[0].value().margin == 0);
}

BOOST_AUTO_TEST_CASE(a_row_with_a_logit_that_is_no_number_has_no_choice) {
  const Model model = decoder_of(at::kBFloat16);
  const RunResult run = ran(model);
  at::Tensor logits = run.logits.flatten(0, 1).clone();
  logits[2][10] = NAN;
  const auto found = choose_highest(model, logits, run.hidden.flatten(0, 1));
  for (size_t i = 0; i < found.size(); ++i) BOOST_TEST(found[i].has_value() == (i != 2));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec
