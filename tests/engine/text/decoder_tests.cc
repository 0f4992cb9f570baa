#include "engine/text/decoder.h"

#include <boost/test/unit_test.hpp>

#include "tests/support/refusal.h"

using namespace qspec;
using namespace qspec::test;

namespace {

std::string decoded(std::string_view json, std::vector<std::string> parts) {
  const Json parsed = parse_json(json, "tokenizer.json");
  size_t bytes = 0;
  for (const std::string& part : parts) bytes += part.size();
  make_decoder(Component(parsed, "tokenizer.json", "decoder"))->decode(parts, GrowthLimit(bytes));
  std::string list;
  for (const std::string& part : parts) list += "[" + part + "]";
  return list;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(decoder_tests)

BOOST_AUTO_TEST_CASE(byte_level_joins_bytes_across_tokens) {
  BOOST_TEST(decoded(R"({"type":"ByteLevel"})", {"aĠ", "Ã", "©"}) == "[a é]");
}

BOOST_AUTO_TEST_CASE(byte_level_leaves_a_token_that_is_no_bytes) {
  BOOST_TEST(decoded(R"({"type":"ByteLevel"})", {"a", "你好 Ġ"}) == "[a你好 Ġ]");
}

BOOST_AUTO_TEST_CASE(byte_level_shows_broken_characters) {
  BOOST_TEST(decoded(R"({"type":"ByteLevel"})", {"Ã", "a"}) ==
             "[\xEF\xBF\xBD"
             "a]");
}

BOOST_AUTO_TEST_CASE(metaspace_drops_the_mark_of_the_first_token) {
  BOOST_TEST(decoded(R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"always"})",
                     {"▁a", "▁b"}) == "[a][ b]");
  BOOST_TEST(decoded(R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"never"})",
                     {"▁a"}) == "[ a]");
}

BOOST_AUTO_TEST_CASE(byte_fallback_joins_a_run_of_bytes) {
  BOOST_TEST(decoded(R"({"type":"ByteFallback"})", {"a", "<0xC3>", "<0xa9>", "b"}) == "[a][é][b]");
}

BOOST_AUTO_TEST_CASE(byte_fallback_gives_up_a_whole_run_for_one_bad_byte) {
  BOOST_TEST(decoded(R"({"type":"ByteFallback"})", {"<0x61>", "<0xFF>"}) ==
             "[\xEF\xBF\xBD][\xEF\xBF\xBD]");
}

BOOST_AUTO_TEST_CASE(byte_fallback_leaves_what_only_looks_like_a_byte) {
  BOOST_TEST(decoded(R"({"type":"ByteFallback"})", {"<0x4>", "<0xGG>", "<0x410>"}) ==
             "[<0x4>][<0xGG>][<0x410>]");
}

BOOST_AUTO_TEST_CASE(fuse_makes_one_of_all) {
  BOOST_TEST(decoded(R"({"type":"Fuse"})", {"a", "b"}) == "[ab]");
}

BOOST_AUTO_TEST_CASE(strip_takes_at_most_as_many_as_it_is_told) {
  BOOST_TEST(decoded(R"({"type":"Strip","content":" ","start":1,"stop":2})", {"  a   ", "b"}) ==
             "[ a ][b]");
  BOOST_TEST(decoded(R"({"type":"Strip","content":" ","start":9,"stop":9})", {" "}) == "[]");
}

BOOST_AUTO_TEST_CASE(replace_works_on_each_token) {
  BOOST_TEST(decoded(R"({"type":"Replace","pattern":{"String":"▁"},"content":" "})",
                     {"▁a▁", "b"}) == "[ a ][b]");
}

BOOST_AUTO_TEST_CASE(word_piece_joins_what_goes_on_a_word) {
  BOOST_TEST(decoded(R"({"type":"WordPiece","prefix":"##","cleanup":false})",
                     {"##a", "##b", "c", "."}) == "[##a][b][ c][ .]");
}

BOOST_AUTO_TEST_CASE(word_piece_cleans_up_within_a_token_only) {
  BOOST_TEST(decoded(R"({"type":"WordPiece","prefix":"##","cleanup":true})",
                     {"i", "do not", "n't", "'", "'s", "!", "a , b"}) ==
             "[i][ don't][n't][ ']['s][!][ a, b]");
}

BOOST_AUTO_TEST_CASE(bpe_puts_spaces_for_the_suffixes_but_for_the_last) {
  BOOST_TEST(decoded(R"({"type":"BPEDecoder","suffix":"</w>"})", {"a</w>", "b", "c</w>"}) ==
             "[a ][b][c]");
  BOOST_TEST(decoded(R"({"type":"BPEDecoder","suffix":"</w>"})", {}).empty());
}

// As the library does: an empty text is found before and behind every character.
BOOST_AUTO_TEST_CASE(bpe_puts_spaces_everywhere_for_no_suffix) {
  BOOST_TEST(decoded(R"({"type":"BPEDecoder","suffix":""})", {"aé", "b"}) == "[ a é ][b]");
}

BOOST_AUTO_TEST_CASE(ctc_counts_equal_tokens_in_a_row_once) {
  constexpr std::string_view kDecoder =
      R"({"type":"CTC","pad_token":"<pad>","word_delimiter_token":"|","cleanup":true})";
  BOOST_TEST(decoded(kDecoder, {"l", "l", "<pad>", "l", "|", "|", "o"}) == "[l][l][ ][o]");
}

BOOST_AUTO_TEST_CASE(ctc_leaves_word_delimiters_unless_it_cleans_up) {
  BOOST_TEST(decoded(R"({"type":"CTC","pad_token":"p","word_delimiter_token":"|","cleanup":false})",
                     {"a", "|", "b", "p", "b"}) == "[a][|][b][b]");
}

BOOST_AUTO_TEST_CASE(a_sequence_runs_in_order) {
  BOOST_TEST(decoded(R"({"type":"Sequence","decoders":[
      {"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},
      {"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]})",
                     {"▁a", "<0xE2>", "<0x82>", "<0xAC>", "▁b"}) == "[a€ b]");
}

BOOST_AUTO_TEST_CASE(refuses_a_type_that_it_does_not_know) {
  const Error error = refusal([] { decoded(R"({"type":"Unfuse"})", {}); });
  BOOST_TEST((error.kind() == ErrorKind::kUnsupported));
  BOOST_TEST(has(error.hint(), "Fuse"));
}

BOOST_AUTO_TEST_SUITE_END()
