#include "engine/model/logits_rules.h"

#include <boost/test/unit_test.hpp>
#include <limits>
#include <vector>

namespace qspec {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

std::vector<float> after(const GenerateOptions& options, const std::vector<int64_t>& tokens,
                         size_t prompt_length, std::vector<float> scores) {
  apply_logits_rules(options, tokens, prompt_length, scores);
  return scores;
}

void check(const std::vector<float>& found, const std::vector<float>& wanted) {
  BOOST_TEST(found == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE(logits_rules_tests)

BOOST_AUTO_TEST_CASE(leaves_scores_alone_by_default) {
  check(after({}, {0, 1, 0, 1}, 2, {1, 2, 3}), {1, 2, 3});
}

BOOST_AUTO_TEST_CASE(repetition_penalty_moves_positive_and_negative_scores_down_once) {
  GenerateOptions options;
  options.repetition_penalty = 2;
  check(after(options, {0, 0, 1}, 1, {4, -4, 4, -4}), {2, -8, 4, -4});
}

BOOST_AUTO_TEST_CASE(forbids_the_token_that_would_repeat_an_ngram) {
  GenerateOptions options;
  options.no_repeat_ngram_size = 2;
  check(after(options, {3, 1, 2, 3}, 4, {0, 0, 0, 0}), {0, kNever, 0, 0});
}

BOOST_AUTO_TEST_CASE(forbids_every_seen_token_for_unigrams) {
  GenerateOptions options;
  options.no_repeat_ngram_size = 1;
  check(after(options, {2, 0}, 1, {0, 0, 0}), {kNever, 0, kNever});
}

BOOST_AUTO_TEST_CASE(an_ngram_longer_than_the_text_forbids_nothing) {
  GenerateOptions options;
  options.no_repeat_ngram_size = 5;
  check(after(options, {0, 0, 0, 0}, 1, {1, 1}), {1, 1});
}

BOOST_AUTO_TEST_CASE(min_new_tokens_counts_the_output_only) {
  GenerateOptions options;
  options.eos = {1};
  options.min_new_tokens = 2;
  check(after(options, {0, 0, 0}, 2, {0, 0}), {0, kNever});
  check(after(options, {0, 0, 0, 0}, 2, {0, 0}), {0, 0});
}

BOOST_AUTO_TEST_CASE(min_length_counts_the_prompt_too) {
  GenerateOptions options;
  options.eos = {0, 1};
  options.min_length = 3;
  check(after(options, {2, 2}, 2, {0, 0, 0}), {kNever, kNever, 0});
  check(after(options, {2, 2, 2}, 2, {0, 0, 0}), {0, 0, 0});
}

BOOST_AUTO_TEST_CASE(forces_the_end_at_the_last_token) {
  GenerateOptions options;
  options.max_new_tokens = 2;
  options.forced_eos = {1};
  check(after(options, {0}, 1, {5, 5}), {5, 5});
  check(after(options, {0, 0}, 1, {5, 5}), {kNever, 0});
}

BOOST_AUTO_TEST_CASE(suppresses_at_the_beginning_only_when_told_so) {
  GenerateOptions options;
  options.suppress = {0};
  options.begin_suppress = {1};
  check(after(options, {2}, 1, {1, 1, 1}), {kNever, kNever, 1});
  check(after(options, {2, 2}, 1, {1, 1, 1}), {kNever, 1, 1});
}

BOOST_AUTO_TEST_CASE(ids_beyond_the_vocabulary_are_passed_over) {
  GenerateOptions options;
  options.suppress = {7};
  check(after(options, {0}, 1, {1, 1}), {1, 1});
}

BOOST_AUTO_TEST_CASE(a_bias_is_added_where_its_sequence_would_be_complete) {
  GenerateOptions options;
  options.sequence_bias = {{{1}, 0.5f}, {{2, 0}, 3.0f}, {{0, 2, 2}, 7.0f}};
  check(after(options, {1, 0, 2}, 1, {1, 1, 1}), {4, 1.5, 1 + 7});
  check(after(options, {1, 2, 0}, 1, {1, 1, 1}), {1, 1.5, 1});
}

// transformers asks for as many tokens as the whole sequence has.
BOOST_AUTO_TEST_CASE(a_sequence_longer_than_the_text_has_no_bias_yet) {
  GenerateOptions options;
  options.sequence_bias = {{{2, 0}, 3.0f}};
  check(after(options, {2}, 1, {1, 1, 1}), {1, 1, 1});
}

BOOST_AUTO_TEST_CASE(a_bad_word_of_one_token_that_ends_the_text_is_allowed) {
  GenerateOptions options;
  options.bad_words = {{0}, {1}, {2, 2}};
  options.eos = {1};
  check(after(options, {0, 2}, 1, {1, 1, 1}), {kNever, 1, kNever});
}

BOOST_AUTO_TEST_CASE(a_penalty_of_the_encoder_rewards_the_prompt_alone) {
  GenerateOptions options;
  options.encoder_repetition_penalty = 2;
  check(after(options, {0, 1}, 1, {1, 1, -1}), {2, 1, -1});
}

BOOST_AUTO_TEST_CASE(ngrams_of_the_encoder_are_those_of_the_prompt) {
  GenerateOptions options;
  options.encoder_no_repeat_ngram_size = 2;
  check(after(options, {0, 1, 2, 0}, 3, {0, 0, 0}), {0, kNever, 0});
  check(after(options, {2, 0, 1, 0}, 2, {0, 0, 0}), {0, 0, 0});
}

BOOST_AUTO_TEST_CASE(a_first_token_is_forced_behind_one_alone) {
  GenerateOptions options;
  options.forced_bos = 2;
  options.begin_suppress = {1};
  check(after(options, {0}, 1, {5, 6, 7}), {kNever, kNever, 0});
  check(after(options, {0, 2}, 1, {5, 6, 7}), {5, kNever, 7});
  check(after(options, {0, 0}, 2, {5, 6, 7}), {5, kNever, 7});
}

BOOST_AUTO_TEST_CASE(the_end_grows_with_every_token_behind_the_start) {
  GenerateOptions options;
  options.eos = {0};
  options.decay_start = 1;
  options.decay_factor = 2;
  check(after(options, {1, 1}, 1, {-3, 1}), {-3, 1});
  check(after(options, {1, 1, 1}, 1, {-3, 1}), {0, 1});
  check(after(options, {1, 1, 1, 1}, 1, {-3, 1}), {6, 1});
}

BOOST_AUTO_TEST_CASE(invalid_values_become_numbers_when_asked_for) {
  constexpr float kMost = std::numeric_limits<float>::max();
  GenerateOptions options;
  options.remove_invalid = true;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  check(after(options, {0}, 1, {nan, kNever, -kNever}), {0, -kMost, kMost});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
