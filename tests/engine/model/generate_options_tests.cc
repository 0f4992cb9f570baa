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
  BOOST_TEST(found.min_length == 4);
  BOOST_TEST(found.min_new_tokens == 5);
  BOOST_TEST(found.forced_eos == std::vector<int64_t>{6});
  BOOST_TEST(found.suppress == (std::vector<int64_t>{1, 2}));
  BOOST_TEST(found.begin_suppress == std::vector<int64_t>{3});
}

BOOST_AUTO_TEST_CASE(sampling_and_bookkeeping_have_no_effect) {
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
  refuses(R"({"bad_words_ids": [[1, 2]]})", ErrorKind::kUnsupported, "'bad_words_ids'");
  refuses(R"({"penalty_alpha": 0.6})", ErrorKind::kUnsupported, "'penalty_alpha'");
  refuses(R"({"remove_invalid_values": true})", ErrorKind::kUnsupported, "'remove_invalid_values'");
  refuses(R"({"forced_bos_token_id": 9})", ErrorKind::kUnsupported, "'forced_bos_token_id'");
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
        R"({"no_repeat_ngram_size": -3})"}) {
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
