#include "engine/text/pre_tokenizer.h"

#include <boost/test/unit_test.hpp>

#include "tests/support/refusal.h"

using namespace qspec;
using namespace qspec::test;

namespace {

std::string split(std::string_view json, std::string text, bool at_start = true) {
  const Json parsed = parse_json(json, "tokenizer.json");
  std::vector<TextPiece> pieces = {{std::move(text), at_start}};
  const GrowthLimit limit(pieces[0].text.size());
  make_pre_tokenizer(Component(parsed, "tokenizer.json", "pre_tokenizer"))->split(pieces, limit);
  std::string list;
  for (const TextPiece& piece : pieces) list += "[" + piece.text + "]";
  return list;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pre_tokenizer_tests)

BOOST_AUTO_TEST_CASE(byte_level_splits_as_gpt2_does) {
  BOOST_TEST(split(R"({"type":"ByteLevel","add_prefix_space":false})", "we'll  go 2x!") ==
             "[we]['ll][Ġ][Ġgo][Ġ2][x][!]");
}

BOOST_AUTO_TEST_CASE(byte_level_shows_each_byte_as_one_character) {
  BOOST_TEST(split(R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":false})",
                   "é\n\x7F ") == "[Ã©ĊġĠ]");
}

BOOST_AUTO_TEST_CASE(byte_level_adds_a_space_unless_there_is_one) {
  BOOST_TEST(split(R"({"type":"ByteLevel","add_prefix_space":true})", "a") == "[Ġa]");
  BOOST_TEST(split(R"({"type":"ByteLevel","add_prefix_space":true})", " a") == "[Ġa]");
}

BOOST_AUTO_TEST_CASE(split_swaps_matches_and_gaps_when_inverted) {
  BOOST_TEST(split(R"({"type":"Split","pattern":{"Regex":"\\d+"},"behavior":"Removed",
                       "invert":true})",
                   "a1b22") == "[1][22]");
}

BOOST_AUTO_TEST_CASE(split_names_a_behavior_that_it_does_not_know) {
  const Error error = refusal(
      [] { split(R"({"type":"Split","pattern":{"String":"a"},"behavior":"Isolate"})", "a"); });
  BOOST_TEST(has(error.message(), "'Isolate'"));
  BOOST_TEST(has(error.hint(), "'Isolated'"));
}

BOOST_AUTO_TEST_CASE(split_says_where_a_regex_that_does_not_compile_is) {
  const Error error = refusal([] {
    split(R"({"type":"Split","pattern":{"Regex":"(?<=a+)b["},"behavior":"Isolated"})", "a");
  });
  BOOST_TEST(error.where() == "tokenizer.json, pre_tokenizer.pattern.Regex");
}

BOOST_AUTO_TEST_CASE(metaspace_marks_every_piece_when_told_always) {
  BOOST_TEST(split(R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"always"})", "a b",
                   false) == "[▁a][▁b]");
}

BOOST_AUTO_TEST_CASE(metaspace_marks_only_the_first_piece_when_told_first) {
  constexpr auto kFirst = R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"first"})";
  BOOST_TEST(split(kFirst, "a b") == "[▁a][▁b]");
  BOOST_TEST(split(kFirst, "a b", false) == "[a][▁b]");
  BOOST_TEST(split(kFirst, " a") == "[▁a]");
}

BOOST_AUTO_TEST_CASE(metaspace_takes_the_older_boolean_for_never) {
  BOOST_TEST(split(R"({"type":"Metaspace","replacement":"▁","add_prefix_space":false})", "a b") ==
             "[a][▁b]");
}

BOOST_AUTO_TEST_CASE(metaspace_keeps_the_text_whole_when_it_does_not_split) {
  BOOST_TEST(split(R"({"type":"Metaspace","replacement":"▁","split":false})", "a b") == "[▁a▁b]");
}

BOOST_AUTO_TEST_CASE(metaspace_wants_one_character) {
  BOOST_CHECK_THROW(split(R"({"type":"Metaspace","replacement":""})", "a"), Error);
  BOOST_CHECK_THROW(split(R"({"type":"Metaspace","replacement":"__"})", "a"), Error);
}

BOOST_AUTO_TEST_CASE(digits_come_alone_or_in_runs) {
  BOOST_TEST(split(R"({"type":"Digits","individual_digits":true})", "a12½") == "[a][1][2][½]");
  BOOST_TEST(split(R"({"type":"Digits","individual_digits":false})", "a12½b") == "[a][12½][b]");
}

BOOST_AUTO_TEST_CASE(punctuation_is_unicodes_and_all_of_asciis) {
  BOOST_TEST(split(R"({"type":"Punctuation"})", "a$b…c") == "[a][$][b][…][c]");
  BOOST_TEST(split(R"({"type":"Punctuation","behavior":"Contiguous"})", "a,.b") == "[a][,.][b]");
}

BOOST_AUTO_TEST_CASE(punctuation_is_of_the_librarys_old_unicode) {
  BOOST_TEST(split(R"({"type":"Punctuation"})", "a\u2E43b\u2E42c") == "[a\u2E43b][\u2E42][c]");
}

BOOST_AUTO_TEST_CASE(digits_are_of_the_librarys_new_unicode) {
  BOOST_TEST(split(R"({"type":"Digits","individual_digits":true})", "a\U00010D40") ==
             "[a][\U00010D40]");
}

BOOST_AUTO_TEST_CASE(whitespace_keeps_words_and_what_is_between_apart) {
  BOOST_TEST(split(R"({"type":"Whitespace"})", "a_1 é́?! Ⓐ") == "[a_1][é́][?!][Ⓐ]");
}

BOOST_AUTO_TEST_CASE(whitespace_split_only_looks_for_white_space) {
  BOOST_TEST(split(R"({"type":"WhitespaceSplit"})",
                   " a.b\xE3\x80\x80"
                   "c ") == "[a.b][c]");
}

BOOST_AUTO_TEST_CASE(a_sequence_splits_the_pieces_again) {
  BOOST_TEST(split(R"({"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},
                       {"type":"Digits","individual_digits":true}]})",
                   "ab1 2") == "[ab][1][2]");
}

BOOST_AUTO_TEST_CASE(stops_byte_levels_that_multiply_the_text) {
  std::string sequence = R"({"type":"Sequence","pretokenizers":[)";
  for (int i = 0; i < 60; ++i) sequence += R"({"type":"ByteLevel","add_prefix_space":false},)";
  sequence.back() = ']';
  BOOST_CHECK_THROW(split(sequence + "}", "é"), Error);
}

BOOST_AUTO_TEST_CASE(bert_drops_white_space_and_isolates_punctuation) {
  BOOST_TEST(split(R"({"type":"BertPreTokenizer"})", " Hey\u00A0you!! 你，") ==
             "[Hey][you][!][!][你][，]");
}

BOOST_AUTO_TEST_CASE(a_delimiter_is_removed) {
  BOOST_TEST(split(R"({"type":"CharDelimiterSplit","delimiter":"é"})", "aébéé c") == "[a][b][ c]");
}

BOOST_AUTO_TEST_CASE(a_delimiter_is_one_character) {
  for (const char* json : {R"({"type":"CharDelimiterSplit","delimiter":""})",
                           R"({"type":"CharDelimiterSplit","delimiter":"ab"})"}) {
    const Error error = refusal([&] { split(json, "a"); });
    BOOST_TEST(error.where() == "tokenizer.json, pre_tokenizer.delimiter");
  }
}

BOOST_AUTO_TEST_CASE(fixed_length_counts_characters) {
  BOOST_TEST(split(R"({"type":"FixedLength","length":2})", "你好a") == "[你好][a]");
  BOOST_TEST(split(R"({"type":"FixedLength"})", "abcdefg") == "[abcde][fg]");
}

BOOST_AUTO_TEST_CASE(fixed_length_is_not_zero) {
  const Error error = refusal([] { split(R"({"type":"FixedLength","length":0})", "a"); });
  BOOST_TEST(error.where() == "tokenizer.json, pre_tokenizer.length");
}

BOOST_AUTO_TEST_CASE(scripts_are_split_but_not_kana_from_ideographs) {
  BOOST_TEST(split(R"({"type":"UnicodeScripts"})", "abcдеж東京タワーです한") ==
             "[abc][деж][東京タワーです][한]");
}

BOOST_AUTO_TEST_CASE(a_space_stays_with_the_script_before_it_and_is_lost_at_the_start) {
  BOOST_TEST(split(R"({"type":"UnicodeScripts"})", " ab cд") == "[ab c][д]");
  BOOST_TEST(split(R"({"type":"UnicodeScripts"})", "  ").empty());
}

BOOST_AUTO_TEST_SUITE_END()
