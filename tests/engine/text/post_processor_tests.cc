#include "engine/text/post_processor.h"

#include <boost/test/unit_test.hpp>

#include "tests/engine/text/tokenizer_json.h"
#include "tests/support/refusal.h"

using namespace qspec;
using namespace qspec::test;

namespace {

std::shared_ptr<const Tokenizer> with_processor(const std::string& json) {
  return tokenizer_of(letters_model("abc"), "\"post_processor\":" + json);
}

std::string bos_template(std::string_view single, int id) {
  return R"({"type":"TemplateProcessing","single":)" + std::string(single) +
         R"(,"pair":[],"special_tokens":{"c":{"id":"c","ids":[)" + std::to_string(id) +
         R"(],"tokens":["c"]}}})";
}

constexpr auto kBosThenText =
    R"([{"SpecialToken":{"id":"c","type_id":0}},{"Sequence":{"id":"A","type_id":0}}])";

}  // namespace

BOOST_AUTO_TEST_SUITE(post_processor_tests)

BOOST_AUTO_TEST_CASE(a_template_adds_special_tokens_only_when_asked) {
  const auto tokenizer = with_processor(bos_template(kBosThenText, 2));
  BOOST_TEST(tokenizer->encode("ab", true) == (Ids{2, 0, 1}));
  BOOST_TEST(tokenizer->encode("ab", false) == (Ids{0, 1}));
  BOOST_TEST(tokenizer->encode("", true) == Ids{2});
}

BOOST_AUTO_TEST_CASE(a_sequence_applies_each) {
  const auto tokenizer =
      with_processor(R"({"type":"Sequence","processors":[{"type":"ByteLevel"},)" +
                     bos_template(kBosThenText, 2) + "]}");
  BOOST_TEST(tokenizer->encode("a", true) == (Ids{2, 0}));
}

// As in the library (0.23.3): what a template makes of its pieces stays apart until the end.
BOOST_AUTO_TEST_CASE(a_processor_behind_a_template_sees_the_special_tokens_as_a_text) {
  const std::string start = R"({"type":"Sequence","processors":[)" + bos_template(kBosThenText, 2);
  const std::string sides = R"(","sep":["b",1],"cls":["c",2]}]})";
  const auto bert = with_processor(start + R"(,{"type":"BertProcessing)" + sides);
  BOOST_TEST(bert->encode("a", true) == (Ids{2, 2, 1, 0, 1}));
  BOOST_TEST(bert->encode("a", false) == Ids{0});
  const auto roberta = with_processor(start + R"(,{"type":"RobertaProcessing)" + sides);
  BOOST_TEST(roberta->encode("a", true) == (Ids{2, 2, 1, 1, 0, 1}));
  const auto twice = with_processor(start + "," + bos_template(kBosThenText, 2) + "]}");
  BOOST_TEST(twice->encode("a", true).empty());  // the template for two has no pieces
}

BOOST_AUTO_TEST_CASE(a_template_refuses_more_texts_than_two) {
  const std::string three = bos_template(
      R"([{"SpecialToken":{"id":"c"}},{"Sequence":{"id":"A"}},{"SpecialToken":{"id":"c"}}])", 2);
  const auto tokenizer =
      with_processor(R"({"type":"Sequence","processors":[)" + three + "," + three + "]}");
  const Error error = refusal([&] { tokenizer->encode("a", true); });
  BOOST_TEST(has(error.message(), "gets 3"), error.message());
}

BOOST_AUTO_TEST_CASE(byte_level_leaves_the_ids_alone) {
  BOOST_TEST(with_processor(R"({"type":"ByteLevel"})")->encode("a", true) == Ids{0});
}

BOOST_AUTO_TEST_CASE(refuses_a_template_of_an_unknown_special_token) {
  const Error error = refusal(
      [] { with_processor(bos_template(R"([{"SpecialToken":{"id":"<s>","type_id":0}}])", 2)); });
  BOOST_TEST(has(error.message(), "'<s>'"));
  BOOST_TEST(has(error.where(), "post_processor.single[0].SpecialToken"));
}

BOOST_AUTO_TEST_CASE(refuses_a_special_token_whose_id_no_token_has) {
  const Error error = refusal([] { with_processor(bos_template(kBosThenText, 9)); });
  BOOST_TEST(has(error.message(), "token id 9"));
}

BOOST_AUTO_TEST_CASE(refuses_a_template_that_repeats_the_text) {
  constexpr auto kTwice =
      R"([{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"A","type_id":0}}])";
  BOOST_CHECK_THROW(with_processor(bos_template(kTwice, 2)), Error);
}

BOOST_AUTO_TEST_CASE(bert_and_roberta_put_a_token_on_each_side) {
  for (const std::string type : {"BertProcessing", "RobertaProcessing"}) {
    const auto tokenizer =
        with_processor(R"({"type":")" + type + R"(","sep":["b",1],"cls":["c",2]})");
    BOOST_TEST(tokenizer->encode("a", true) == (Ids{2, 0, 1}));
    BOOST_TEST(tokenizer->encode("a", false) == Ids{0});
  }
}

BOOST_AUTO_TEST_CASE(bert_names_the_side_that_is_no_token) {
  for (const char* sep : {R"(["b",-1])", R"(["b"])", "[1,1]", "[]"}) {
    const Error error = refusal([&] {
      with_processor(R"({"type":"BertProcessing","cls":["c",2],"sep":)" + std::string(sep) + "}");
    });
    BOOST_TEST(error.where() == "tokenizer.json, post_processor.sep");
  }
}

BOOST_AUTO_TEST_SUITE_END()
