#include "engine/text/normalizer.h"

#include <boost/test/unit_test.hpp>

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
