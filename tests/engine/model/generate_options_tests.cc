#include "engine/model/generate_options.h"

#include <boost/test/unit_test.hpp>

#include "engine/core/error.h"

namespace qspec {
namespace {

GenerateOptions parse(const char* text) {
  return parse_generate_options(Json::parse(text), 100);
}

void refuses(const char* text, ErrorKind kind, const std::string& says) {
  BOOST_CHECK_EXCEPTION(parse(text), Error, [&](const Error& error) {
    BOOST_TEST(error.message().find(says) != std::string::npos, error.message());
    return error.kind() == kind;
  });
}

BOOST_AUTO_TEST_SUITE(generate_options_tests)

BOOST_AUTO_TEST_CASE(eos_is_one_id_or_a_list) {
  BOOST_TEST(parse(R"({"eos_token_id": 2})").eos == std::vector<int64_t>{2});
  BOOST_TEST(parse(R"({"eos_token_id": [2, 5]})").eos == (std::vector<int64_t>{2, 5}));
  BOOST_TEST(parse(R"({"eos": []})").eos.empty());
  BOOST_TEST(parse(R"({"eos_token_id": null})").eos.empty());
}

BOOST_AUTO_TEST_CASE(reads_what_greedy_decoding_obeys) {
  const GenerateOptions found = parse(
      R"({"max_new_tokens": 7, "repetition_penalty": 1.2, "no_repeat_ngram_size": 3,
          "min_length": 4, "min_new_tokens": 5, "forced_eos_token_id": 6,
          "suppress_tokens": [1, 2], "begin_suppress_tokens": [3]})");
  BOOST_TEST(found.max_new_tokens == 7);
  BOOST_TEST(found.repetition_penalty == 1.2);
  BOOST_TEST(found.no_repeat_ngram_size == 3);
  BOOST_TEST(found.min_new_tokens == 5);
  BOOST_TEST(found.forced_eos == std::vector<int64_t>{6});
  BOOST_TEST(found.suppress == (std::vector<int64_t>{1, 2}));
  BOOST_TEST(found.begin_suppress == std::vector<int64_t>{3});
}

BOOST_AUTO_TEST_CASE(reads_biases_words_and_what_is_forced) {
  const GenerateOptions found = parse(
      R"({"sequence_bias": [[[3, 4], 0.5]], "bad_words_ids": [[1], [2, 3]],
          "forced_bos_token_id": 9, "remove_invalid_values": true, "pad_token_id": 8,
          "exponential_decay_length_penalty": [4, 1.5], "encoder_repetition_penalty": 1.1,
          "encoder_no_repeat_ngram_size": 2})");
  BOOST_TEST(found.sequence_bias.at(0).tokens == (std::vector<int64_t>{3, 4}));
  BOOST_TEST(found.sequence_bias.at(0).bias == 0.5f);
  BOOST_TEST((found.bad_words == std::vector<std::vector<int64_t>>{{1}, {2, 3}}));
  BOOST_TEST(found.forced_bos.value() == 9);
  BOOST_TEST(found.remove_invalid);
  BOOST_TEST(found.padding.value() == 8);
  BOOST_TEST(found.decay_start == 4);
  BOOST_TEST(found.decay_factor == 1.5);
  BOOST_TEST(found.encoder_repetition_penalty == 1.1);
  BOOST_TEST(found.encoder_no_repeat_ngram_size == 2);
}

BOOST_AUTO_TEST_CASE(the_number_of_new_tokens_wins_over_the_length) {
  BOOST_TEST(parse(R"({"max_length": 30})").max_length == 30);
  BOOST_TEST(parse(R"({"max_length": 30, "max_new_tokens": 5})").max_length == 0);
  BOOST_TEST(parse(R"({"min_length": 30})").min_length == 30);
  BOOST_TEST(parse(R"({"min_length": 30, "min_new_tokens": 0})").min_length == 0);
}

BOOST_AUTO_TEST_CASE(sampling_is_read_when_it_is_asked_for) {
  const char* fields = R"({"temperature": 0.5, "top_k": 7, "top_p": 0.9, "min_p": 0.1,
      "typical_p": 0.8, "epsilon_cutoff": 0.01, "eta_cutoff": 0.02, "top_h": 0.3, "seed": 11,
      "do_sample": )";
  BOOST_TEST(!parse((fields + std::string("false}")).c_str()).sampling.has_value());
  const Sampling found = parse((fields + std::string("true}")).c_str()).sampling.value();
  BOOST_TEST(found.temperature == 0.5);
  BOOST_TEST(found.top_k == 7);
  BOOST_TEST(found.top_p == 0.9);
  BOOST_TEST(found.min_p == 0.1);
  BOOST_TEST(found.typical_p == 0.8);
  BOOST_TEST(found.epsilon_cutoff == 0.01);
  BOOST_TEST(found.eta_cutoff == 0.02);
  BOOST_TEST(found.top_h == 0.3);
  BOOST_TEST(found.seed == 11u);
  BOOST_TEST(parse(R"({"do_sample": true})").sampling.value().top_k == 50);
}

BOOST_AUTO_TEST_CASE(a_padding_that_is_no_token_is_none) {
  BOOST_TEST(!parse(R"({"pad_token_id": -1})").padding.has_value());
  BOOST_TEST(!parse(R"({"pad_token_id": 100})").padding.has_value());
}

BOOST_AUTO_TEST_CASE(bookkeeping_has_no_effect) {
  BOOST_CHECK_NO_THROW(parse(R"({"do_sample": true, "temperature": 0.6, "top_k": 50, "top_p": 0.9,
                "bos_token_id": 1, "pad_token_id": 3, "transformers_version": "5.17.0",
                "_from_model_config": true, "max_length": 20, "use_cache": true})"));
}

BOOST_AUTO_TEST_CASE(neutral_values_of_refused_fields_are_fine) {
  BOOST_CHECK_NO_THROW(parse(R"({"num_beams": 1, "guidance_scale": 1.0, "bad_words_ids": [],
                                 "remove_invalid_values": false, "stop_strings": null})"));
}

BOOST_AUTO_TEST_CASE(refuses_what_would_change_the_output) {
  refuses(R"({"num_beams": 4})", ErrorKind::kUnsupported, "'num_beams' is 4");
  refuses(R"({"stop_strings": ["end"]})", ErrorKind::kUnsupported, "'stop_strings'");
  refuses(R"({"penalty_alpha": 0.6})", ErrorKind::kUnsupported, "'penalty_alpha'");
  refuses(R"({"guidance_scale": 1.5})", ErrorKind::kUnsupported, "'guidance_scale'");
  refuses(R"({"watermarking_config": {"bias": 2}})", ErrorKind::kUnsupported,
          "'watermarking_config'");
}

BOOST_AUTO_TEST_CASE(refuses_an_unknown_field_with_the_nearest) {
  BOOST_CHECK_EXCEPTION(parse(R"({"max_new_token": 3})"), Error, [](const Error& error) {
    return error.hint() == "did you mean 'max_new_tokens'?";
  });
}

BOOST_AUTO_TEST_CASE(refuses_values_of_another_type_or_range) {
  for (const char* text :
       {R"({"max_new_tokens": -1})", R"({"max_new_tokens": 1.5})", R"({"max_new_tokens": 1e9})",
        R"({"max_new_tokens": "7"})", R"({"eos_token_id": -1})", R"({"eos_token_id": [1, "2"]})",
        R"({"eos_token_id": true})", R"({"repetition_penalty": 0})",
        R"({"repetition_penalty": "high"})", R"({"forced_eos_token_id": 100})",
        R"({"no_repeat_ngram_size": -3})", R"({"bad_words_ids": [3]})",
        R"({"bad_words_ids": [[]]})", R"({"bad_words_ids": [[100]]})",
        R"({"sequence_bias": [[[1, 2]]]})", R"({"do_sample": 1})",
        R"({"do_sample": true, "temperature": 0})", R"({"do_sample": true, "top_p": 1.5})",
        R"({"exponential_decay_length_penalty": [1]})"}) {
    BOOST_CHECK_EXCEPTION(parse(text), Error,
                          [](const Error& error) { return error.kind() == ErrorKind::kSpec; });
  }
}

BOOST_AUTO_TEST_CASE(a_value_that_is_not_utf8_is_still_shown) {
  BOOST_CHECK_THROW(parse_generate_options({{"max_new_tokens", "\xff"}}, 100), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qspec
