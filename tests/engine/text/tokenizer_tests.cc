#include "engine/text/tokenizer.h"

#include <boost/test/unit_test.hpp>

#include "tests/engine/text/tokenizer_json.h"
#include "tests/support/refusal.h"
#include "tests/support/temporary_folder.h"

using namespace qspec;
using namespace qspec::test;

namespace {

std::shared_ptr<const Tokenizer> bloom() {
  static const auto tokenizer =
      Tokenizer::from_file(QSPEC_SOURCE_DIR "/examples/models/bloom-tiny/tokenizer.json");
  return tokenizer;
}

Error refused_file(std::string_view text) {
  const TemporaryFolder folder;
  const std::string path = folder.write("tokenizer.json", text);
  return refusal([&] { Tokenizer::from_file(path); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tokenizer_tests)

BOOST_AUTO_TEST_CASE(gives_bloom_the_ids_of_the_library) {
  BOOST_TEST(bloom()->encode("Hello my name is", true) == (Ids{1008, 474, 475, 270}));
  BOOST_TEST(
      bloom()->encode(" The quick,brown fox (jumps)!", true) ==
      (Ids{287, 684, 76, 1003, 15, 69, 303, 894, 283, 82, 91, 224, 11, 77, 88, 528, 86, 12, 4}));
  BOOST_TEST(bloom()->encode("<s>a  b</s>", true) == (Ids{1, 68, 224, 276, 2}));
  BOOST_TEST(bloom()->encode("Zürich 12½\n\tx", true) ==
             (Ids{61, 131, 124, 321, 899, 224, 20, 21, 130, 125, 202, 201, 91}));
  BOOST_TEST(bloom()->encode("नमस्ते। 你好。", true) ==
             (Ids{160, 101, 105, 160, 101, 110, 160, 101, 120, 160, 102, 239, 160, 101, 101, 160,
                  102, 233, 160, 102, 101, 224, 164, 125, 258, 165, 102, 125, 163, 226, 228}));
}

BOOST_AUTO_TEST_CASE(decodes_what_it_encodes) {
  for (const char* text : {"", " ", "Hello my name is", "a(b)c|d]e[f", "\t\n  x  \n",
                           "你好，世界。", "👨‍👩‍👧 e\xCC\x81\xEF\xBF\xBD"}) {
    BOOST_TEST(bloom()->decode(bloom()->encode(text, true), false) == text);
  }
}

BOOST_AUTO_TEST_CASE(keeps_a_nul) {
  const std::string text("a\0b", 3);
  BOOST_TEST(bloom()->decode(bloom()->encode(text, true), false) == text);
}

BOOST_AUTO_TEST_CASE(knows_its_tokens_both_ways) {
  BOOST_TEST(bloom()->vocab_size() == 1454u);
  BOOST_TEST(bloom()->token_of(2).value() == "</s>");
  BOOST_TEST(bloom()->id_of("Ġthe").has_value());
  BOOST_TEST(!bloom()->id_of("no such token").has_value());
  BOOST_TEST(!bloom()->token_of(1454).has_value());
  BOOST_TEST(!bloom()->token_of(-1).has_value());
}

BOOST_AUTO_TEST_CASE(leaves_ids_without_a_token_out_of_a_decoding) {
  const Ids ids = {1454, 2'000'000'000};
  BOOST_TEST(bloom()->decode(ids, false).empty());
}

BOOST_AUTO_TEST_CASE(refuses_negative_ids) {
  const Ids ids = {-1};
  BOOST_TEST(has(refusal([&] { bloom()->decode(ids, false); }).message(), "-1"));
}

BOOST_AUTO_TEST_CASE(names_the_byte_of_text_that_is_not_utf8) {
  const Error error = refusal([] { bloom()->encode("ab\xFF", false); });
  BOOST_TEST((error.kind() == ErrorKind::kUsage));
  BOOST_TEST(has(error.message(), "'\\xFF' at byte 2"));
}

BOOST_AUTO_TEST_CASE(names_the_file_when_a_pattern_runs_away) {
  const auto tokenizer = tokenizer_of(letters_model("a"), R"("pre_tokenizer":{"type":"Split",
      "pattern":{"Regex":"(a+)+$"},"behavior":"Isolated"})");
  const Error error = refusal([&] { tokenizer->encode(std::string(40, 'a') + "!", false); });
  BOOST_TEST(error.where() == "tokenizer.json");
}

BOOST_AUTO_TEST_CASE(joins_tokens_with_spaces_when_there_is_no_decoder) {
  const auto tokenizer = tokenizer_of(letters_model("ab"));
  BOOST_TEST(tokenizer->decode(Ids{0, 1}, false) == "a b");
}

BOOST_AUTO_TEST_CASE(leaves_truncation_and_padding_of_the_file_out) {
  const auto tokenizer = tokenizer_of(
      letters_model("ab"), R"("truncation":{"max_length":1},"padding":{"strategy":{"Fixed":9}})");
  BOOST_TEST(tokenizer->encode("abab", true) == (Ids{0, 1, 0, 1}));
}

BOOST_AUTO_TEST_CASE(refuses_text_that_is_not_json) {
  BOOST_TEST((refused_file("{").kind() == ErrorKind::kCheckpoint));
}

BOOST_AUTO_TEST_CASE(refuses_json_that_is_no_object) {
  BOOST_TEST(has(refused_file("[]").message(), "found array, wanted an object"));
}

BOOST_AUTO_TEST_CASE(refuses_a_file_without_a_model) {
  BOOST_TEST(has(refused_file("{}").message(), "no 'model'"));
}

BOOST_AUTO_TEST_CASE(refuses_a_token_that_occurs_twice) {
  const Error error = refused_file(R"({"model":{"type":"BPE","vocab":{"a":0,"a":1},"merges":[]}})");
  BOOST_TEST(has(error.message(), "'a' occurs twice"));
}

BOOST_AUTO_TEST_CASE(refuses_a_model_that_it_does_not_know) {
  const Error error = refused_file(R"({"model":{"type":"WordLevels","vocab":{}}})");
  BOOST_TEST((error.kind() == ErrorKind::kUnsupported));
  BOOST_TEST(has(error.message(), "'WordLevels'"));
  BOOST_TEST(has(error.where(), "model.type"));
}

BOOST_AUTO_TEST_CASE(refuses_a_version_that_it_does_not_know) {
  BOOST_TEST((refused_file(R"({"version":"2.0"})").kind() == ErrorKind::kUnsupported));
}

BOOST_AUTO_TEST_CASE(refuses_a_component_that_is_no_object) {
  const Error error =
      refused_file(R"({"normalizer":"NFC","model":{"type":"BPE","vocab":{},"merges":[]}})");
  BOOST_TEST(has(error.message(), "found string, wanted an object"));
  BOOST_TEST(has(error.where(), ", normalizer"));
}

BOOST_AUTO_TEST_CASE(reads_a_model_of_a_file_older_than_its_type) {
  const Json json = parse_json(R"({"model":{"vocab":{"a":0},"merges":[]}})", "tokenizer.json");
  BOOST_TEST(Tokenizer::from_json(json, "tokenizer.json")->encode("a", true) == Ids{0});
}

BOOST_AUTO_TEST_SUITE_END()
