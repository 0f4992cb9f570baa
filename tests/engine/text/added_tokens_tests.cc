#include "engine/text/added_tokens.h"

#include <boost/test/unit_test.hpp>

#include "tests/engine/text/tokenizer_json.h"
#include "tests/support/refusal.h"

using namespace qspec;
using namespace qspec::test;

namespace {

// One member of "added_tokens"; `flags` are further members, each with a comma in front.
std::string added(int id, std::string_view content, std::string_view flags = "") {
  return "{\"id\":" + std::to_string(id) + ",\"content\":\"" + std::string(content) +
         "\",\"normalized\":false" + std::string(flags) + "}";
}

constexpr std::string_view kLetters = "abx_ <>";  // ids 0 to 6

std::shared_ptr<const Tokenizer> with_tokens(const std::string& tokens,
                                             const std::string& others = "") {
  return tokenizer_of(letters_model(kLetters), "\"added_tokens\":[" + tokens + "]" + others);
}

Ids ids_with(const std::string& tokens, std::string_view text) {
  return with_tokens(tokens)->encode(text, false);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(added_tokens_tests)

BOOST_AUTO_TEST_CASE(finds_the_leftmost_and_of_those_the_longest) {
  const std::string tokens = added(7, "ab") + "," + added(8, "abx") + "," + added(9, "bx_");
  BOOST_TEST(ids_with(tokens, "abx_ab") == (Ids{8, 3, 7}));
}

BOOST_AUTO_TEST_CASE(gives_ids_behind_the_vocabulary_in_the_order_of_the_file) {
  const auto tokenizer = with_tokens(added(7, "<b>") + "," + added(0, "a") + "," + added(8, "<a>"));
  BOOST_TEST(tokenizer->id_of("<b>").value() == 7);
  BOOST_TEST(tokenizer->id_of("a").value() == 0);
  BOOST_TEST(tokenizer->id_of("<a>").value() == 8);
  BOOST_TEST(tokenizer->vocab_size() == 9u);
}

BOOST_AUTO_TEST_CASE(takes_a_single_word_only_between_what_is_no_word) {
  const std::string token = added(7, "ab", R"(,"single_word":true)");
  BOOST_TEST(ids_with(token, "ab <ab>") == (Ids{7, 4, 5, 7, 6}));
  BOOST_TEST(ids_with(token, "xab") == (Ids{2, 0, 1}));
  BOOST_TEST(ids_with(token, "ab_") == (Ids{0, 1, 3}));
}

BOOST_AUTO_TEST_CASE(swallows_white_space_on_the_sides_it_is_told_to) {
  BOOST_TEST(ids_with(added(7, "<x>", R"(,"lstrip":true)"), "a  <x> b") == (Ids{0, 7, 4, 1}));
  BOOST_TEST(ids_with(added(7, "<x>", R"(,"rstrip":true)"), "a <x>\t b") == (Ids{0, 4, 7, 1}));
}

BOOST_AUTO_TEST_CASE(leaves_out_a_token_that_the_one_before_has_swallowed) {
  const std::string tokens = added(7, "<x>", R"(,"rstrip":true)") + "," +
                             added(8, "  ", R"(,"lstrip":true,"rstrip":true)");
  BOOST_TEST(ids_with(tokens, "<x>      a") == (Ids{7, 0}));
}

BOOST_AUTO_TEST_CASE(scans_a_million_swallowed_spaces_once) {
  const auto tokenizer = with_tokens(added(7, "  ", R"(,"lstrip":true,"rstrip":true)"));
  BOOST_TEST(tokenizer->encode(std::string(1'000'000, ' '), false) == Ids{7});
}

BOOST_AUTO_TEST_CASE(looks_for_normalized_tokens_in_normalized_text) {
  const auto tokenizer = with_tokens(R"({"id":7,"content":"AB","normalized":true})",
                                     R"(,"normalizer":{"type":"Lowercase"})");
  BOOST_TEST(tokenizer->encode("aB", false) == Ids{7});
  BOOST_TEST(tokenizer->token_of(7).value() == "ab");
}

BOOST_AUTO_TEST_CASE(looks_for_the_others_in_the_text_as_given) {
  const auto tokenizer = with_tokens(added(7, "AB"), R"(,"normalizer":{"type":"Lowercase"})");
  BOOST_TEST(tokenizer->encode("ABab", false) == (Ids{7, 0, 1}));
}

BOOST_AUTO_TEST_CASE(leaves_special_tokens_out_of_a_decoding_when_asked) {
  const auto tokenizer = with_tokens(added(7, "<s>", R"(,"special":true)") + "," + added(8, "<t>"),
                                     R"(,"decoder":{"type":"Fuse"})");
  const Ids ids = {7, 0, 8};
  BOOST_TEST(tokenizer->decode(ids, false) == "<s>a<t>");
  BOOST_TEST(tokenizer->decode(ids, true) == "a<t>");
}

BOOST_AUTO_TEST_CASE(normalizes_and_splits_each_piece_between_tokens_anew) {
  const auto tokenizer = tokenizer_of(R"("vocab":{"a":0,"_a":1,"_":2},"merges":["_ a"])",
                                      "\"added_tokens\":[" + added(3, "<s>") +
                                          R"(],"normalizer":{"type":"Prepend","prepend":"_"})");
  BOOST_TEST(tokenizer->encode("a<s>a", false) == (Ids{1, 3, 1}));
}

BOOST_AUTO_TEST_CASE(refuses_a_token_that_claims_the_id_of_another) {
  const Error error = refusal([] { with_tokens(added(7, "<s>") + "," + added(1, "<t>")); });
  BOOST_TEST(has(error.message(), "'<t>' claims id 1, which is 'b'"));
  BOOST_TEST(error.where() == "tokenizer.json, added_tokens[1].id");
  BOOST_CHECK_THROW(with_tokens(added(7, "<s>") + "," + added(7, "<t>")), Error);
}

BOOST_AUTO_TEST_CASE(refuses_an_id_that_is_none) {
  BOOST_CHECK_THROW(with_tokens(added(-1, "<s>")), Error);
}

BOOST_AUTO_TEST_CASE(refuses_a_token_that_is_too_long) {
  BOOST_TEST(has(refusal([] { with_tokens(added(7, std::string(2000, 'x'))); }).message(), "2000"));
}

BOOST_AUTO_TEST_SUITE_END()
