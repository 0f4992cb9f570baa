#include "engine/text/unigram.h"

#include <boost/test/unit_test.hpp>
#include <chrono>

#include "engine/text/token_scores.h"
#include "tests/engine/text/tokenizer_json.h"
#include "tests/support/refusal.h"

using namespace qspec;
using namespace qspec::test;

namespace {

std::string unigram(const std::string& vocab, const std::string& others = R"(,"unk_id":0)") {
  return R"({"model":{"type":"Unigram","vocab":[)" + vocab + "]" + others + "}}";
}

Ids ids_of(const std::string& json, std::string_view text) {
  return Tokenizer::from_text(json, "tokenizer.json")->encode(text, false);
}

void check_refused(const std::string& json, std::string_view message, std::string_view where) {
  const Error error = refusal([&] { Tokenizer::from_text(json, "tokenizer.json"); });
  BOOST_TEST((error.kind() == ErrorKind::kCheckpoint));
  BOOST_TEST(has(error.message(), message), error.message());
  BOOST_TEST(error.where() == where);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(unigram_tests)

BOOST_AUTO_TEST_CASE(takes_the_cut_of_the_highest_score) {
  const std::string json = unigram(R"(["<unk>",0],["a",-1],["b",-1],["ab",-3],["abb",-2.5])");
  BOOST_TEST(ids_of(json, "ab") == (Ids{1, 2}));
  BOOST_TEST(ids_of(json, "abb") == (Ids{4}));
}

BOOST_AUTO_TEST_CASE(keeps_the_first_of_two_cuts_of_equal_score) {
  const std::string json = unigram(R"(["<unk>",0],["a",-1],["b",-1],["ab",-2],["ba",-2])");
  BOOST_TEST(ids_of(json, "ab") == (Ids{3}));
  BOOST_TEST(ids_of(json, "aba") == (Ids{1, 4}));
}

BOOST_AUTO_TEST_CASE(gives_one_unknown_token_to_a_run_of_characters) {
  const std::string json = unigram(R"(["<unk>",0],["a",-1])");
  BOOST_TEST(ids_of(json, "a你好é") == (Ids{1, 0}));
  BOOST_TEST(ids_of(json, "你a好") == (Ids{0, 1, 0}));
}

BOOST_AUTO_TEST_CASE(prefers_tokens_to_unknown_characters_by_ten) {
  // The unknown "b" costs ten more than the worst token: 12 + 1, against 13.5.
  const std::string json = unigram(R"(["<unk>",0],["a",-1],["ab",-13.5],["c",-2])");
  BOOST_TEST(ids_of(json, "ab") == (Ids{3 - 1}));
  const std::string dearer = unigram(R"(["<unk>",0],["a",-1],["abb",-26],["c",-2])");
  BOOST_TEST(ids_of(dearer, "abb") == (Ids{2}));
}

BOOST_AUTO_TEST_CASE(spells_unknown_characters_in_bytes) {
  std::string vocab = R"(["<unk>",0],["a",-1])";
  for (int byte = 0; byte < 256; ++byte) {
    char token[32];
    std::snprintf(token, sizeof token, ",[\"<0x%02X>\",-9]", byte);
    vocab += token;
  }
  BOOST_TEST(ids_of(unigram(vocab, R"(,"unk_id":0,"byte_fallback":true)"), "aé") ==
             (Ids{1, 2 + 0xC3, 2 + 0xA9}));
  BOOST_TEST(ids_of(unigram(vocab, R"(,"unk_id":0,"byte_fallback":false)"), "aé") == (Ids{1, 0}));
}

BOOST_AUTO_TEST_CASE(joins_the_unknown_token_itself_to_unknown_characters) {
  const std::string json = unigram(R"(["?",0],["a",-1])");
  BOOST_TEST(ids_of(json, "a?") == (Ids{1, 0}));
  BOOST_TEST(ids_of(json, "?é?") == (Ids{0}));
}

BOOST_AUTO_TEST_CASE(says_that_there_is_no_unknown_token_only_when_it_needs_one) {
  const std::string json = unigram(R"(["a",-1])", "");
  BOOST_TEST(ids_of(json, "aa") == (Ids{0, 0}));
  const Error error = refusal([&] { ids_of(json, "ab"); });
  BOOST_TEST((error.kind() == ErrorKind::kCheckpoint));
  BOOST_TEST(error.where() == "tokenizer.json, model.unk_id");
}

// Each pair: what is written, and what the library (0.23.3) wrote back.
BOOST_AUTO_TEST_CASE(reads_numbers_as_the_library_does) {
  BOOST_TEST(as_serde_reads(-1.4252121478300945) == -1.4252121478300943);
  BOOST_TEST(as_serde_reads(-13.563669634938593) == -13.563669634938591);
  BOOST_TEST(as_serde_reads(-10.634415443986683) == -10.634415443986684);
  BOOST_TEST(as_serde_reads(-0.5) == -0.5);
  BOOST_TEST(as_serde_reads(0.0) == 0.0);
  BOOST_TEST(as_serde_reads(1e-5) == 1e-5);
  BOOST_TEST(as_serde_reads(1e300) == 1e300);
  BOOST_TEST(as_serde_reads(5e-324) == 5e-324);
  BOOST_TEST(as_serde_reads(1.7976931348623155e308) == 1.7976931348623157e308);
}

BOOST_AUTO_TEST_CASE(is_linear_in_a_million_letters_without_a_space) {
  std::string vocab = R"(["<unk>",0])";
  for (size_t letters = 1; letters <= 16; ++letters) {
    vocab += ",[\"" + std::string(letters, 'a') + "\",-" + std::to_string(letters) + "]";
  }
  const auto tokenizer = Tokenizer::from_text(unigram(vocab), "tokenizer.json");
  const auto began = std::chrono::steady_clock::now();
  tokenizer->encode(std::string(1'000'000, 'a'), false);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
  BOOST_TEST(seconds.count() < 20.0);  // a quarter of a second, and hours when quadratic
}

BOOST_AUTO_TEST_CASE(refuses_entries_that_are_no_token_with_a_score) {
  for (const char* entry : {R"("a")", "[]", R"([1,-1])", "{}", "null"}) {
    check_refused(unigram(R"(["<unk>",0],)" + std::string(entry)), "wanted [token, score]",
                  "tokenizer.json, model.vocab[1]");
  }
  for (const char* entry : {R"(["a"])", R"(["a","NaN"])", R"(["a",null])", R"(["a",-1,2])"}) {
    check_refused(unigram(R"(["<unk>",0],)" + std::string(entry)), "wanted [token, score]",
                  "tokenizer.json, model.vocab[1]");
  }
}

BOOST_AUTO_TEST_CASE(refuses_a_score_that_no_double_holds) {
  const Error error = refusal(
      [] { Tokenizer::from_text(unigram(R"(["<unk>",0],["a",-1e400])"), "tokenizer.json"); });
  BOOST_TEST(has(error.message(), "1e400"), error.message());
}

// Sums of such scores become infinite, and the difference of two of them no number at all.
BOOST_AUTO_TEST_CASE(cuts_a_text_to_its_end_whatever_the_scores) {
  const std::string json = unigram(R"(["<unk>",0],["a",1e308],["aa",-1e308],["aaa",1.7e308])");
  BOOST_TEST(!ids_of(json, std::string(100, 'a')).empty());
}

BOOST_AUTO_TEST_CASE(refuses_a_token_that_occurs_twice) {
  check_refused(unigram(R"(["a",0],["a",-1])"), "'a' occurs twice", "tokenizer.json, model");
}

BOOST_AUTO_TEST_CASE(refuses_a_vocabulary_of_another_model) {
  check_refused(R"({"model":{"type":"Unigram","vocab":{"a":0}}})", "found object, wanted an array",
                "tokenizer.json, model.vocab");
}

BOOST_AUTO_TEST_CASE(refuses_an_unknown_token_that_is_not_there) {
  check_refused(unigram(R"(["a",0])", R"(,"unk_id":1)"), "found 1, the vocabulary has 1 token",
                "tokenizer.json, model.unk_id");
  check_refused(unigram("", R"(,"unk_id":0)"), "found 0", "tokenizer.json, model.unk_id");
}

BOOST_AUTO_TEST_CASE(refuses_a_token_that_each_place_would_be_searched_for_too_long) {
  check_refused(unigram("[\"" + std::string(1025, 'a') + "\",0]"), "token 0 has 1025 bytes",
                "tokenizer.json, model.vocab");
}

BOOST_AUTO_TEST_SUITE_END()
