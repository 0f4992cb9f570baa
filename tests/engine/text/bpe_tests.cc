#include "engine/text/bpe.h"

#include <boost/test/unit_test.hpp>
#include <chrono>

#include "tests/engine/text/tokenizer_json.h"
#include "tests/support/refusal.h"

using namespace qspec;
using namespace qspec::test;

namespace {

Ids ids_of(std::string_view model, std::string_view text) {
  return tokenizer_of(model)->encode(text, false);
}

void check_refused(std::string_view model, std::string_view message, std::string_view where) {
  const Error error = refusal([&] { tokenizer_of(model); });
  BOOST_TEST(has(error.message(), message), error.message());
  BOOST_TEST(has(error.where(), where), error.where());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bpe_tests)

BOOST_AUTO_TEST_CASE(joins_the_pair_of_lowest_rank_first) {
  BOOST_TEST(ids_of(R"("vocab":{"a":0,"b":1,"c":2,"ab":3,"bc":4},"merges":["b c","a b"])", "abc") ==
             (Ids{0, 4}));
}

BOOST_AUTO_TEST_CASE(joins_the_leftmost_of_equal_pairs_first) {
  BOOST_TEST(ids_of(R"("vocab":{"a":0,"aa":1},"merges":["a a"])", "aaa") == (Ids{1, 0}));
}

BOOST_AUTO_TEST_CASE(takes_merges_as_pairs_too) {
  BOOST_TEST(ids_of(R"("vocab":{"a":0," ":1,"a ":2},"merges":[["a"," "]])", "a ") == Ids{2});
}

BOOST_AUTO_TEST_CASE(skips_the_version_line_of_old_merges) {
  BOOST_TEST(ids_of(R"("vocab":{"a":0,"b":1,"ab":2},"merges":["#version: 0.2","a b"])", "ab") ==
             Ids{2});
}

BOOST_AUTO_TEST_CASE(lets_the_last_of_two_equal_merges_count) {
  BOOST_TEST(ids_of(R"("vocab":{"a":0,"b":1,"c":2,"ab":3,"bc":4},"merges":["a b","b c","a b"])",
                    "abc") == (Ids{0, 4}));
}

BOOST_AUTO_TEST_CASE(drops_unknown_characters_without_an_unknown_token) {
  BOOST_TEST(ids_of(letters_model("a"), "xay") == Ids{0});
}

BOOST_AUTO_TEST_CASE(gives_one_unknown_token_a_character_or_a_run) {
  BOOST_TEST(ids_of(R"("unk_token":"?","vocab":{"?":0,"a":1},"merges":[])", "xyaz") ==
             (Ids{0, 0, 1, 0}));
  BOOST_TEST(ids_of(R"("unk_token":"?","fuse_unk":true,"vocab":{"?":0,"a":1},"merges":[])",
                    "xyaz") == (Ids{0, 1, 0}));
}

BOOST_AUTO_TEST_CASE(falls_back_to_bytes_that_overtake_a_pending_unknown) {
  std::string vocab = R"("unk_token":"?","byte_fallback":true,"fuse_unk":false,"vocab":{"?":0)";
  for (int byte = 0; byte < 256; ++byte) {
    char token[16];
    std::snprintf(token, sizeof token, ",\"<0x%02X>\":%d", byte, byte + 1);
    vocab += token;
  }
  BOOST_TEST(ids_of(vocab + R"(},"merges":[])", "\xE2\x82\xAC") ==
             (Ids{0xE2 + 1, 0x82 + 1, 0xAC + 1}));
}

BOOST_AUTO_TEST_CASE(marks_the_inside_and_the_end_of_a_word) {
  constexpr auto kModel = R"("continuing_subword_prefix":"##","end_of_word_suffix":"!",
      "vocab":{"a":0,"##b":1,"##c!":2,"ab":3,"abc!":4},"merges":["a ##b","ab ##c!"])";
  BOOST_TEST(ids_of(kModel, "abc") == Ids{4});
}

BOOST_AUTO_TEST_CASE(looks_the_whole_piece_up_first_when_it_ignores_merges) {
  constexpr auto kVocab = R"("vocab":{"a":0,"b":1,"ab":2},"merges":[])";
  BOOST_TEST(ids_of(kVocab, "ab") == (Ids{0, 1}));
  BOOST_TEST(ids_of(std::string(R"("ignore_merges":true,)") + kVocab, "ab") == Ids{2});
}

BOOST_AUTO_TEST_CASE(takes_no_more_than_n_log_n_on_a_million_equal_letters) {
  std::string vocab = R"("vocab":{"a":0)";
  std::string merges;
  std::string token = "a";
  for (int power = 1; power <= 10; ++power) {
    merges += (merges.empty() ? "\"" : ",\"") + token + " " + token + "\"";
    token += token;
    vocab += ",\"" + token + "\":" + std::to_string(power);
  }
  const auto tokenizer = tokenizer_of(vocab + "},\"merges\":[" + merges + "]");
  const auto begin = std::chrono::steady_clock::now();
  BOOST_TEST(tokenizer->encode(std::string(1 << 20, 'a'), false) == Ids(1 << 10, 10));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  BOOST_TEST(seconds.count() < 20);  // a quadratic one needs an hour
}

BOOST_AUTO_TEST_CASE(refuses_two_tokens_with_one_id) {
  check_refused(R"("vocab":{"a":0,"b":0},"merges":[])", "'a' and 'b' both have id 0",
                "model.vocab");
}

BOOST_AUTO_TEST_CASE(refuses_ids_that_are_none) {
  check_refused(R"("vocab":{"a":-1},"merges":[])", "token 'a' has id -1", "model.vocab");
  check_refused(R"("vocab":{"a":1.5},"merges":[])", "token 'a' has id 1.5", "model.vocab");
  check_refused(R"("vocab":{"a":"0"},"merges":[])", "token 'a' has id", "model.vocab");
  check_refused(R"("vocab":{"a":1099511627776},"merges":[])", "token 'a' has id 1099511627776",
                "model.vocab");
  check_refused(R"("vocab":{"a":2000000000},"merges":[])", "below 65538", "model.vocab");
}

BOOST_AUTO_TEST_CASE(refuses_a_merge_of_a_token_that_is_not_there) {
  check_refused(R"("vocab":{"a":0,"b":1,"ab":2},"merges":["a b","a z"])", "'z'", "model.merges[1]");
}

BOOST_AUTO_TEST_CASE(refuses_a_merge_into_a_token_that_is_not_there) {
  check_refused(R"("vocab":{"a":0,"b":1},"merges":["a b"])", "'ab'", "model.merges[0]");
}

BOOST_AUTO_TEST_CASE(refuses_a_merge_that_is_not_of_two) {
  for (const char* merge :
       {R"("ab")", R"("a b c")", R"(["a"])", R"(["a","b","c"])", R"(["a",1])", "7"}) {
    check_refused(R"("vocab":{"a":0,"b":1,"ab":2},"merges":[)" + std::string(merge) + "]",
                  "wanted two tokens", "model.merges[0]");
  }
}

BOOST_AUTO_TEST_CASE(refuses_more_merges_than_any_model_has) {
  std::string merges = "[";
  for (int i = 0; i < 4'000'001; ++i) merges += "0,";
  merges.back() = ']';
  check_refused(R"("vocab":{"a":0},"merges":)" + merges, "4000001 merges, the limit is 4000000",
                "model.merges");
}

BOOST_AUTO_TEST_CASE(says_that_the_unknown_token_is_missing_only_when_it_is_needed) {
  constexpr std::string_view kModel = R"("unk_token":"","vocab":{"a":0},"merges":[])";
  BOOST_TEST(ids_of(kModel, "aa") == (Ids{0, 0}));
  const Error error = refusal([&] { ids_of(kModel, "ab"); });
  BOOST_TEST(has(error.message(), "'', is not in the vocabulary"), error.message());
  BOOST_TEST(error.where() == "tokenizer.json, model.unk_token");
}

BOOST_AUTO_TEST_CASE(refuses_a_hole_in_the_byte_tokens) {
  check_refused(R"("byte_fallback":true,"vocab":{"<0x00>":0},"merges":[])", "'<0x01>'",
                "model.byte_fallback");
}

BOOST_AUTO_TEST_CASE(refuses_dropout) {
  check_refused(R"("dropout":0.1,"vocab":{"a":0},"merges":[])", "0.1", "model.dropout");
}

BOOST_AUTO_TEST_CASE(refuses_members_of_the_wrong_type) {
  check_refused(R"("vocab":[],"merges":[])", "found array, wanted an object", "model.vocab");
  check_refused(R"("vocab":{},"merges":{})", "found object, wanted an array", "model.merges");
  check_refused(R"("vocab":{},"merges":[],"fuse_unk":1)", "wanted true or false", "model.fuse_unk");
}

BOOST_AUTO_TEST_SUITE_END()
