#include "engine/text/word_level.h"

#include <boost/test/unit_test.hpp>

#include "tests/engine/text/tokenizer_json.h"
#include "tests/support/refusal.h"

using namespace qspec;
using namespace qspec::test;

namespace {

Ids ids_of(const std::string& model, std::string_view text) {
  const std::string json =
      R"({"pre_tokenizer":{"type":"WhitespaceSplit"},"model":{)" + model + "}}";
  return Tokenizer::from_text(json, "tokenizer.json")->encode(text, false);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(word_level_tests)

BOOST_AUTO_TEST_CASE(looks_words_up_whole) {
  BOOST_TEST(ids_of(R"("type":"WordLevel","unk_token":"?","vocab":{"?":0,"a":1,"ab":2})",
                    "ab a abc") == (Ids{2, 1, 0}));
}

BOOST_AUTO_TEST_CASE(says_that_the_unknown_token_is_missing_only_when_it_is_needed) {
  const std::string model = R"("type":"WordLevel","unk_token":"?","vocab":{"a":0})";
  BOOST_TEST(ids_of(model, "a a") == (Ids{0, 0}));
  BOOST_TEST(refusal([&] { ids_of(model, "b"); }).where() == "tokenizer.json, model.unk_token");
}

BOOST_AUTO_TEST_CASE(reads_a_model_of_a_file_older_than_its_type) {
  BOOST_TEST(ids_of(R"("unk_token":"?","vocab":{"?":0,"a":1})", "a b") == (Ids{1, 0}));
}

BOOST_AUTO_TEST_SUITE_END()
