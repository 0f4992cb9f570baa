#include "engine/text/word_piece.h"

#include <boost/test/unit_test.hpp>
#include <chrono>

#include "tests/engine/text/tokenizer_json.h"
#include "tests/support/refusal.h"

using namespace qspec;
using namespace qspec::test;

namespace {

std::string word_piece(const std::string& vocab, const std::string& prefix = "##",
                       size_t most = 100) {
  return R"({"model":{"type":"WordPiece","unk_token":"?","continuing_subword_prefix":")" + prefix +
         R"(","max_input_chars_per_word":)" + std::to_string(most) + R"(,"vocab":{)" + vocab +
         "}}}";
}

Ids ids_of(const std::string& json, std::string_view text) {
  return Tokenizer::from_text(json, "tokenizer.json")->encode(text, false);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(word_piece_tests)

BOOST_AUTO_TEST_CASE(takes_the_longest_token_from_the_left) {
  const std::string json = word_piece(R"("?":0,"a":1,"ab":2,"##b":3,"##c":4,"##bc":5)");
  BOOST_TEST(ids_of(json, "abc") == (Ids{2, 4}));
  BOOST_TEST(ids_of(json, "a") == (Ids{1}));
}

BOOST_AUTO_TEST_CASE(does_not_go_back_when_the_longest_leads_nowhere) {
  const std::string json = word_piece(R"("?":0,"a":1,"ab":2,"##bc":3)");
  BOOST_TEST(ids_of(json, "abc") == (Ids{0}));
}

BOOST_AUTO_TEST_CASE(makes_one_unknown_token_of_a_word_that_it_cannot_cut) {
  const std::string json = word_piece(R"("?":0,"a":1,"##a":2)");
  BOOST_TEST(ids_of(json, "aaé") == (Ids{0}));
}

BOOST_AUTO_TEST_CASE(tells_the_first_token_from_those_inside) {
  const std::string json = word_piece(R"("?":0,"##a":1,"b":2)");
  BOOST_TEST(ids_of(json, "a") == (Ids{0}));
  BOOST_TEST(ids_of(json, "ba") == (Ids{2, 1}));
  BOOST_TEST(ids_of(json, "##a") == (Ids{1}));
}

BOOST_AUTO_TEST_CASE(goes_on_without_a_prefix) {
  const std::string json = word_piece(R"("?":0,"a":1,"b":2)", "");
  BOOST_TEST(ids_of(json, "abba") == (Ids{1, 2, 2, 1}));
}

BOOST_AUTO_TEST_CASE(takes_a_word_of_too_many_characters_for_unknown) {
  const std::string json = word_piece(R"("?":0,"é":1,"##é":2)", "##", 3);
  BOOST_TEST(ids_of(json, "ééé") == (Ids{1, 2, 2}));
  BOOST_TEST(ids_of(json, "éééé") == (Ids{0}));
}

BOOST_AUTO_TEST_CASE(is_linear_in_a_word_of_a_million_letters) {
  const auto tokenizer = Tokenizer::from_text(
      word_piece(R"("?":0,"a":1,"##a":2,"##aa":3)", "##", 2'000'000), "tokenizer.json");
  const auto began = std::chrono::steady_clock::now();
  BOOST_TEST(tokenizer->encode(std::string(1'000'001, 'a'), false).size() == 500'001u);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
  BOOST_TEST(seconds.count() < 20.0);  // some milliseconds, and hours when cubic
}

BOOST_AUTO_TEST_CASE(says_that_the_unknown_token_is_missing_only_when_it_is_needed) {
  const std::string json = word_piece(R"("a":0)");
  BOOST_TEST(ids_of(json, "a") == (Ids{0}));
  const Error error = refusal([&] { ids_of(json, "b"); });
  BOOST_TEST(has(error.message(), "'?', is not in the vocabulary"), error.message());
  BOOST_TEST(error.where() == "tokenizer.json, model.unk_token");
}

BOOST_AUTO_TEST_CASE(refuses_a_file_that_lacks_a_member) {
  const Error error = refusal([] {
    Tokenizer::from_text(R"({"model":{"type":"WordPiece","vocab":{"a":0}}})", "tokenizer.json");
  });
  BOOST_TEST(has(error.message(), "no 'continuing_subword_prefix'"), error.message());
}

BOOST_AUTO_TEST_SUITE_END()
