#include "engine/text/normalizer.h"

#include <boost/test/unit_test.hpp>

#include "tests/engine/text/charsmap_bytes.h"
#include "tests/support/refusal.h"

using namespace qspec;
using namespace qspec::test;

namespace {

std::string normalized(std::string_view json, std::string text) {
  const Json parsed = parse_json(json, "tokenizer.json");
  TextPiece piece{std::move(text), true};
  const GrowthLimit limit(piece.text.size());
  make_normalizer(Component(parsed, "tokenizer.json", "normalizer"))->normalize(piece, limit);
  return piece.text;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t bits = 0;
    for (size_t j = i; j < i + 3; ++j) {
      bits = bits << 8 | (j < bytes.size() ? static_cast<unsigned char>(bytes[j]) : 0);
    }
    for (int shift = 18; shift >= 0; shift -= 6) text += kLetters[bits >> shift & 63];
  }
  const size_t padding = (3 - bytes.size() % 3) % 3;
  return text.replace(text.size() - padding, padding, padding, '=');
}

std::string precompiled(std::string_view charsmap) {
  return R"({"type":"Precompiled","precompiled_charsmap":")" + base64(charsmap) + "\"}";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(normalizer_tests)

BOOST_AUTO_TEST_CASE(composes_and_decomposes) {
  BOOST_TEST(normalized(R"({"type":"NFC"})", "e\xCC\x81") == "\xC3\xA9");
  BOOST_TEST(normalized(R"({"type":"NFD"})", "\xC3\xA9") == "e\xCC\x81");
}

// U+08D3 has a combining class since Unicode 11, and would move before U+0301.
BOOST_AUTO_TEST_CASE(leaves_marks_younger_than_the_librarys_tables_where_they_are) {
  BOOST_TEST(normalized(R"({"type":"NFC"})", "a\u0301\u08D3") == "\u00E1\u08D3");
  BOOST_TEST(normalized(R"({"type":"NFD"})", "\u0301\u08D3\u0316") == "\u0301\u08D3\u0316");
}

BOOST_AUTO_TEST_CASE(orders_marks_that_the_librarys_tables_know) {
  BOOST_TEST(normalized(R"({"type":"NFD"})", "a\u0301\u0316") == "a\u0316\u0301");
}

BOOST_AUTO_TEST_CASE(unfolds_compatibility_characters_in_the_k_forms_only) {
  BOOST_TEST(normalized(R"({"type":"NFKC"})", "\xEF\xAC\x81\xC2\xBD") ==
             "fi1\xE2\x81\x84"
             "2");
  BOOST_TEST(normalized(R"({"type":"NFKD"})", "\xEF\xAC\x81") == "fi");
  BOOST_TEST(normalized(R"({"type":"NFC"})", "\xEF\xAC\x81") == "\xEF\xAC\x81");
}

BOOST_AUTO_TEST_CASE(lowers_the_dotted_capital_i_to_two_characters) {
  BOOST_TEST(normalized(R"({"type":"Lowercase"})", "\xC4\xB0\xC3\x84Z") == "i\xCC\x87\xC3\xA4z");
}

BOOST_AUTO_TEST_CASE(lowers_a_final_sigma_as_any_other) {
  BOOST_TEST(normalized(R"({"type":"Lowercase"})", "\xCE\xA3\xCE\xA3") == "\xCF\x83\xCF\x83");
}

BOOST_AUTO_TEST_CASE(replaces_literally_what_a_string_pattern_says) {
  BOOST_TEST(normalized(R"({"type":"Replace","pattern":{"String":"."},"content":"$0"})", "a.b") ==
             "a$0b");
}

BOOST_AUTO_TEST_CASE(replaces_each_match_of_a_regex) {
  BOOST_TEST(normalized(R"({"type":"Replace","pattern":{"Regex":"\\s+"},"content":" "})",
                        "a \t b\n") == "a b ");
}

BOOST_AUTO_TEST_CASE(puts_the_content_everywhere_for_an_empty_pattern) {
  BOOST_TEST(normalized(R"({"type":"Replace","pattern":{"String":""},"content":"-"})", "ab") ==
             "-a-b-");
}

BOOST_AUTO_TEST_CASE(prepends_to_text_but_not_to_nothing) {
  BOOST_TEST(normalized(R"({"type":"Prepend","prepend":"_"})", "a") == "_a");
  BOOST_TEST(normalized(R"({"type":"Prepend","prepend":"_"})", "").empty());
}

BOOST_AUTO_TEST_CASE(strips_the_sides_it_is_told_to) {
  BOOST_TEST(normalized(R"({"type":"Strip","strip_left":true,"strip_right":false})",
                        "\xE3\x80\x80 a ") == "a ");
  BOOST_TEST(normalized(R"({"type":"Strip","strip_left":false,"strip_right":true})",
                        " a\xC2\xA0\n") == " a");
  BOOST_TEST(normalized(R"({"type":"Strip","strip_left":true,"strip_right":true})", " ").empty());
}

BOOST_AUTO_TEST_CASE(drops_marks_but_does_not_decompose) {
  BOOST_TEST(normalized(R"({"type":"StripAccents"})", "e\xCC\x81\xC3\xA9") == "e\xC3\xA9");
}

BOOST_AUTO_TEST_CASE(shows_bytes_as_characters) {
  BOOST_TEST(normalized(R"({"type":"ByteLevel"})", "é a") == "Ã©Ġa");
}

BOOST_AUTO_TEST_CASE(nmt_drops_controls_and_makes_spaces_of_what_is_invisible) {
  BOOST_TEST(normalized(R"({"type":"Nmt"})",
                        "a\x01"
                        "b\x7F\tc\u200Bd▁e\uFFFD\u00A0") == "ab c d e \u00A0");
}

BOOST_AUTO_TEST_CASE(bert_cleans_the_text) {
  constexpr std::string_view kCleans =
      R"({"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":false,
          "strip_accents":null,"lowercase":false})";
  BOOST_TEST(normalized(kCleans, "a\tb\x01\uFFFD\u200B\u00A0c\uE000") == "a b c");
  BOOST_TEST(normalized(kCleans, "\u08E2") == "\u08E2");  // a format character since Unicode 9
}

BOOST_AUTO_TEST_CASE(bert_puts_spaces_around_ideographs_but_not_kana) {
  BOOST_TEST(normalized(R"({"type":"BertNormalizer","clean_text":false,
                            "handle_chinese_chars":true,"strip_accents":false,"lowercase":false})",
                        "a東京の") == "a 東  京 の");
}

BOOST_AUTO_TEST_CASE(bert_strips_accents_where_it_lowers_unless_told) {
  constexpr std::string_view kStart =
      R"({"type":"BertNormalizer","clean_text":false,"handle_chinese_chars":false,)";
  const std::string start(kStart);
  BOOST_TEST(normalized(start + R"("strip_accents":null,"lowercase":true})", "ÉÀ") == "ea");
  BOOST_TEST(normalized(start + R"("strip_accents":false,"lowercase":true})", "ÉÀ") == "éà");
  BOOST_TEST(normalized(start + R"("strip_accents":true,"lowercase":false})", "ÉÀ") == "EA");
  BOOST_TEST(normalized(start + R"("lowercase":false})", "É") == "É");
}

// The rules in base64 are those of CharsmapBuilder: "a" is "X", and CR LF is a space.
BOOST_AUTO_TEST_CASE(replaces_clusters_by_compiled_rules) {
  const std::string json = precompiled(CharsmapBuilder().add("a", "X").add("\r\n", " ").bytes());
  BOOST_TEST(normalized(json, "bab") == "bXb");
  BOOST_TEST(normalized(json, "b\r\nb\r") == "b b\r");
}

BOOST_AUTO_TEST_CASE(loses_the_accent_of_a_short_cluster_but_not_of_a_long_one) {
  const std::string json = precompiled(CharsmapBuilder().add("a", "X").bytes());
  BOOST_TEST(normalized(json, "a\u0301\u0301") == "X");
  BOOST_TEST(normalized(json, "a\u0301\u0301\u0301") == "X\u0301\u0301\u0301");
}

BOOST_AUTO_TEST_CASE(stops_compiled_rules_that_multiply_the_text) {
  const std::string json = precompiled(CharsmapBuilder().add("a", std::string(5000, 'a')).bytes());
  BOOST_TEST(has(refusal([&] { normalized(json, std::string(1000, 'a')); }).message(), "16 times"));
}

BOOST_AUTO_TEST_CASE(names_the_key_of_rules_that_are_damaged) {
  for (const std::string json : {R"({"type":"Precompiled","precompiled_charsmap":"AA"})",
                                 R"({"type":"Precompiled","precompiled_charsmap":"AA*A"})",
                                 R"({"type":"Precompiled","precompiled_charsmap":"BAAAAA=="})"}) {
    BOOST_TEST(refusal([&] { normalized(json, "a"); }).where() ==
               "tokenizer.json, normalizer.precompiled_charsmap");
  }
}

BOOST_AUTO_TEST_CASE(runs_a_sequence_in_order) {
  BOOST_TEST(normalized(R"({"type":"Sequence","normalizers":[{"type":"NFD"},
                            {"type":"StripAccents"},{"type":"Lowercase"}]})",
                        "\xC3\x89") == "e");
}

BOOST_AUTO_TEST_CASE(stops_replacements_that_multiply_the_text) {
  std::string doubling = R"({"type":"Sequence","normalizers":[)";
  for (int i = 0; i < 40; ++i) {
    doubling += R"({"type":"Replace","pattern":{"String":"a"},"content":"aa"},)";
  }
  doubling.back() = ']';
  const Error error = refusal([&] { normalized(doubling + "}", "a"); });
  BOOST_TEST(has(error.message(), "text of 1 bytes"));
  BOOST_TEST(has(error.message(), "16 times"));
}

BOOST_AUTO_TEST_CASE(names_the_nearest_type_that_it_knows) {
  const Error error = refusal([] { normalized(R"({"type":"Lowercased"})", ""); });
  BOOST_TEST((error.kind() == ErrorKind::kUnsupported));
  BOOST_TEST(has(error.message(), "'Lowercased'"));
  BOOST_TEST(has(error.hint(), "'Lowercase'"));
  BOOST_TEST(error.where() == "tokenizer.json, normalizer.type");
}

BOOST_AUTO_TEST_CASE(says_which_step_of_a_sequence_is_wrong) {
  const Error error = refusal([] {
    normalized(R"({"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Prepend"}]})", "");
  });
  BOOST_TEST(has(error.message(), "no 'prepend'"));
  BOOST_TEST(error.where() == "tokenizer.json, normalizer.normalizers[1]");
}

BOOST_AUTO_TEST_SUITE_END()
