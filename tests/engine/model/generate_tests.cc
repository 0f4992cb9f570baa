#include "engine/model/generate.h"

#include <ATen/ATen.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "engine/core/error.h"
#include "tests/engine/model/tiny_model.h"

namespace qspec {
namespace {

constexpr int64_t kVocabulary = 6;

Model counting() {
  return Model(tiny::counting_program(kVocabulary), tiny::counting_weights(kVocabulary));
}

// A model whose logits are `row` whatever the tokens are.
Model constant(const std::vector<float>& row) {
  Weights weights = tiny::counting_weights(kVocabulary);
  weights["embed"].weight = at::ones({kVocabulary, kVocabulary}) / kVocabulary;
  weights["head"].weight = at::tensor(row).unsqueeze(1).repeat({1, kVocabulary});
  return Model(tiny::counting_program(kVocabulary), weights);
}

GenerateOptions options(int64_t max_new_tokens, std::vector<int64_t> eos = {}) {
  GenerateOptions result;
  result.max_new_tokens = max_new_tokens;
  result.eos = std::move(eos);
  return result;
}

BOOST_AUTO_TEST_SUITE(generate_tests)

BOOST_AUTO_TEST_CASE(follows_the_highest_logit) {
  const Generation found = generate(counting(), {0, 1}, options(3));
  BOOST_TEST(found.ids == (std::vector<int64_t>{0, 1, 2, 3, 4}));
  BOOST_TEST(found.steps.size() == 3u);
  BOOST_TEST(!found.met_eos);
}

BOOST_AUTO_TEST_CASE(stops_at_any_eos_and_keeps_it) {
  const Generation found = generate(counting(), {1}, options(9, {5, 3}));
  BOOST_TEST(found.ids == (std::vector<int64_t>{1, 2, 3}));
  BOOST_TEST(found.met_eos);
}

BOOST_AUTO_TEST_CASE(an_eos_in_the_prompt_does_not_stop) {
  BOOST_TEST(generate(counting(), {3}, options(2, {3})).ids == (std::vector<int64_t>{3, 4, 5}));
}

BOOST_AUTO_TEST_CASE(no_new_tokens_return_the_prompt) {
  const Generation found = generate(counting(), {3}, options(0));
  BOOST_TEST(found.ids == std::vector<int64_t>{3});
  BOOST_TEST(found.steps.empty());
}

BOOST_AUTO_TEST_CASE(the_first_of_equal_logits_wins_and_the_next_is_runner_up) {
  const GenerateStep step = generate(constant({1, 2, 2, 2, 0, 0}), {0}, options(1)).steps[0];
  BOOST_TEST(step.token == 1);
  BOOST_TEST(step.runner_up == 2);
  BOOST_TEST(step.margin == 0.0f);
}

BOOST_AUTO_TEST_CASE(the_margin_is_to_the_second_best_wherever_it_stands) {
  const GenerateStep step = generate(constant({4, 1, 8, 2, 5, 3}), {0}, options(1)).steps[0];
  BOOST_TEST(step.token == 2);
  BOOST_TEST(step.runner_up == 4);
  BOOST_TEST(step.logit == 8.0f, boost::test_tools::tolerance(1e-5f));
  BOOST_TEST(step.margin == 3.0, boost::test_tools::tolerance(1e-5));
}

// The same in bfloat16, with more instructions behind the head.
Model constant_in_bfloat16(const std::vector<float>& row, const std::vector<Json>& behind = {}) {
  Weights weights = tiny::counting_weights(kVocabulary);
  weights["embed"].weight = at::ones({kVocabulary, kVocabulary}, at::kBFloat16);
  weights["head"].weight = at::zeros({kVocabulary, kVocabulary}, at::kBFloat16);
  // A sum of two weights has more digits than one bfloat16.
  const at::Tensor values = at::tensor(row);
  const at::Tensor coarse = values.to(at::kBFloat16);
  weights["head"].weight.select(1, 0).copy_(coarse);
  weights["head"].weight.select(1, 1).copy_(values - coarse.to(at::kFloat));
  Json program = tiny::counting_program(kVocabulary);
  for (const Json& op : behind) program["ops"].push_back(op);
  return Model(program, weights);
}

BOOST_AUTO_TEST_CASE(the_margin_is_that_before_the_logits_were_rounded) {
  // One step of a bfloat16 is 0.0625 here: 8.02 and 8.01 are both 8.
  const Model model = constant_in_bfloat16({1, 8.01f, 2, 8.02f, 5, 3});
  const GenerateStep step = generate(model, {0}, options(1)).steps[0];
  BOOST_TEST(step.token == 1);  // the first of equals, as argmax has it
  BOOST_TEST(step.logit == 8.0f);
  BOOST_TEST(step.runner_up == 3);
  BOOST_TEST(step.margin == -0.01, boost::test_tools::tolerance(0.01));
}

BOOST_AUTO_TEST_CASE(the_margin_passes_a_soft_cap_and_the_rules_unrounded) {
  const Model model =
      constant_in_bfloat16({1, 8.01f, 2, 8.02f, 5, 3},
                           {{{"op", "softcap"}, {"x", "logits"}, {"cap", 10}, {"out", "logits"}}});
  GenerateOptions rules = options(1);
  rules.repetition_penalty = 2;
  rules.suppress = {3};
  const GenerateStep step = generate(model, {1}, rules).steps[0];
  BOOST_TEST(step.token == 4);
  BOOST_TEST(step.runner_up == 1);
  const double wanted = 10 * std::tanh(0.5) - 10 * std::tanh(0.801) / 2;
  BOOST_TEST(step.margin == wanted, boost::test_tools::tolerance(1e-3));
}

BOOST_AUTO_TEST_CASE(the_margin_is_infinite_when_no_other_token_is_left) {
  GenerateOptions rules = options(1);
  rules.suppress = {0, 1, 2, 3, 4};
  const GenerateStep step = generate(constant({1, 2, 3, 4, 5, 6}), {0}, rules).steps[0];
  BOOST_TEST(step.token == 5);
  BOOST_TEST(std::isinf(step.margin));
}

BOOST_AUTO_TEST_CASE(the_rules_change_what_is_chosen) {
  GenerateOptions rules = options(2);
  rules.suppress = {1};
  rules.no_repeat_ngram_size = 1;
  const Generation found = generate(constant({3, 9, 5, 4, 0, 0}), {0}, rules);
  BOOST_TEST(found.ids == (std::vector<int64_t>{0, 2, 3}));
}

BOOST_AUTO_TEST_CASE(a_logit_that_is_not_a_number_is_refused_with_its_step) {
  Weights weights = tiny::counting_weights(kVocabulary);
  weights["head"].weight[4][2] = std::numeric_limits<float>::quiet_NaN();
  const Model model(tiny::counting_program(kVocabulary), weights);
  BOOST_CHECK_EXCEPTION(generate(model, {2}, options(3)), Error, [](const Error& error) {
    return error.message() == "the logit of token 4 is not a number at step 1";
  });
}

BOOST_AUTO_TEST_CASE(ids_outside_the_vocabulary_are_refused) {
  BOOST_CHECK_THROW(generate(counting(), {kVocabulary}, options(1)), Error);
}

BOOST_AUTO_TEST_CASE(a_cache_gives_the_tokens_of_running_all_of_them_each_time) {
  const Model model(tiny::decoder_program(), tiny::decoder_weights());
  std::vector<int64_t> ids = {1, 2, 3};
  const Generation found = generate(model, ids, options(12));
  for (int step = 0; step < 12; ++step) {
    const at::Tensor last = tiny::logits(model, {ids})[0].select(0, -1);
    ids.push_back(last.argmax().item<int64_t>());
  }
  BOOST_TEST(found.ids == ids);
}

BOOST_AUTO_TEST_CASE(a_batch_of_unequal_prompts_gives_what_each_gives_alone) {
  const Model model(tiny::decoder_program(), tiny::decoder_weights());
  const std::vector<std::vector<int64_t>> prompts = {{1, 2, 3}, {7}, {4, 4, 9, 10, 2}};
  const auto found = generate_batch(model, prompts, options(9));
  for (size_t i = 0; i < prompts.size(); ++i) {
    BOOST_TEST(found[i].ids == generate(model, prompts[i], options(9)).ids);
  }
}

BOOST_AUTO_TEST_CASE(a_row_that_ended_waits_for_the_others) {
  const std::vector<std::vector<int64_t>> prompts = {{3}, {0}};
  const auto found = generate_batch(counting(), prompts, options(5, {4}));
  BOOST_TEST(found[0].ids == (std::vector<int64_t>{3, 4}));
  BOOST_TEST(found[1].ids == (std::vector<int64_t>{0, 1, 2, 3, 4}));
  BOOST_TEST(found[0].met_eos);
  BOOST_TEST(found[0].steps.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_length_is_of_prompt_and_output) {
  GenerateOptions length = options(20);
  length.max_length = 4;
  BOOST_TEST(generate(counting(), {0, 1}, length).ids == (std::vector<int64_t>{0, 1, 2, 3}));
  BOOST_CHECK_THROW(generate(counting(), {0, 1, 2, 3}, length), Error);
}

BOOST_AUTO_TEST_CASE(the_logarithm_of_its_share_goes_with_each_token) {
  const GenerateStep step = generate(constant({1, 2, 3, 0, 0, 0}), {0}, options(1)).steps[0];
  const double sum = std::exp(1) + std::exp(2) + std::exp(3) + 3;
  BOOST_TEST(step.logprob == 3 - std::log(sum), boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(a_seed_draws_the_same_again_and_another_seed_other_tokens) {
  GenerateOptions drawn = options(12);
  drawn.sampling.emplace().seed = 5;
  const Model model = constant({1, 1, 1, 1, 1, 1});
  const auto first = generate(model, {0}, drawn).ids;
  BOOST_TEST(first == generate(model, {0}, drawn).ids);
  drawn.sampling->seed = 6;
  BOOST_TEST(first != generate(model, {0}, drawn).ids);
}

BOOST_AUTO_TEST_CASE(the_margin_of_a_draw_is_before_its_filters) {
  GenerateOptions drawn = options(1);
  drawn.sampling.emplace().top_k = 1;
  drawn.sampling->temperature = 0.1;
  const GenerateStep step = generate(constant({1, 2, 5, 0, 0, 0}), {0}, drawn).steps[0];
  BOOST_TEST(step.token == 2);
  BOOST_TEST(step.margin == 3.0, boost::test_tools::tolerance(1e-5));
  BOOST_TEST(step.logprob == 0.0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
