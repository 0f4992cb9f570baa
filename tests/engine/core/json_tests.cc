#include "engine/core/json.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "tests/support/refusal.h"

namespace qspec::test {
namespace {

Json parse(std::string_view text) {
  return parse_json(text, "config.json");
}

Error refused(std::string_view text, const JsonLimits& limits = {}) {
  return refusal([&] { parse_json(text, "config.json", limits); });
}

std::string repeated(std::string_view part, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += part;
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(json_tests)

BOOST_AUTO_TEST_CASE(keeps_the_order_of_keys) {
  BOOST_TEST(dump_json(parse(R"({"z":1,"a":2,"m":{"y":[],"b":{}}})")) ==
             R"({"z":1,"a":2,"m":{"y":[],"b":{}}})");
}

BOOST_AUTO_TEST_CASE(reads_every_kind_of_value) {
  const Json json = parse(R"([null,true,false,-3,7,0.5,"a\u00e9\n",{},[]])");
  BOOST_TEST(json[0].is_null());
  BOOST_TEST(json[1].get<bool>());
  BOOST_TEST(json[3].is_number_integer());
  BOOST_TEST(json[4].is_number_unsigned());
  BOOST_TEST(json[5].is_number_float());
  BOOST_TEST(json[6].get<std::string>() == "a\xC3\xA9\n");
  BOOST_TEST(json[7].is_object());
  BOOST_TEST(json[8].is_array());
}

BOOST_AUTO_TEST_CASE(reads_a_text_that_is_one_value) {
  BOOST_TEST(parse("12").get<int>() == 12);
  BOOST_TEST(parse(" \"x\" ").get<std::string>() == "x");
}

BOOST_AUTO_TEST_CASE(keeps_the_whole_range_of_64_bits) {
  BOOST_TEST(parse("18446744073709551615").get<uint64_t>() == UINT64_MAX);
  BOOST_TEST(parse("-9223372036854775808").get<int64_t>() == INT64_MIN);
}

BOOST_AUTO_TEST_CASE(takes_a_longer_whole_number_as_a_double) {
  const Json json = parse("1000000000000000019884624838656");
  BOOST_TEST(json.is_number_float());
  BOOST_TEST(json.get<double>() == 1e30);
  BOOST_TEST((parse(dump_json(json)) == json));
}

BOOST_AUTO_TEST_CASE(tells_a_float_from_an_integer) {
  BOOST_TEST(parse("6.0").is_number_float());
  BOOST_TEST(dump_json(parse("[6.0,6]")) == "[6.0,6]");
}

BOOST_AUTO_TEST_CASE(writes_doubles_that_parse_back_equal) {
  BOOST_TEST(dump_json(parse("[0.1,1e-05,0.02]")) == "[0.1,1e-05,0.02]");
  for (const double value : {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, -0.0, 123456789.125}) {
    const double back = parse(dump_json(Json(value))).get<double>();
    BOOST_TEST(back == value);
    BOOST_TEST(std::signbit(back) == std::signbit(value));
  }
}

BOOST_AUTO_TEST_CASE(writes_what_json_has_no_number_for_as_a_string) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Json json = {{"a", std::nan("")}, {"b", {1.5, kInfinity, -kInfinity}}};
  BOOST_TEST(dump_json(json) == R"({"a":"NaN","b":[1.5,"Infinity","-Infinity"]})");
  BOOST_TEST(dump_json(Json(kInfinity)) == R"("Infinity")");
}

BOOST_AUTO_TEST_CASE(writes_bytes_that_are_not_utf8_as_replacement_characters) {
  BOOST_TEST(dump_json(Json("a\xFFz")) == "\"a\xEF\xBF\xBDz\"");
}

BOOST_AUTO_TEST_CASE(indents_when_asked) {
  BOOST_TEST(dump_json(parse(R"({"a":[1]})"), 2) == "{\n  \"a\": [\n    1\n  ]\n}");
}

BOOST_AUTO_TEST_CASE(builds_a_large_object_in_linear_time) {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) {
    text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":" + std::to_string(i);
  }
  BOOST_TEST(parse(text + "}").size() == 200'000u);
}

BOOST_AUTO_TEST_CASE(refuses_a_key_that_occurs_twice_and_shows_both_places) {
  const Error error = refused(R"({"hidden_size": 1, "hidden_size": 2})");
  BOOST_TEST((error.kind() == ErrorKind::kCheckpoint));
  BOOST_TEST(error.message() == "key 'hidden_size' occurs twice in one object, first at byte 1");
  BOOST_TEST(error.where() == "config.json, byte 19");
}

BOOST_AUTO_TEST_CASE(finds_the_places_of_keys_that_hold_escaped_quotes) {
  const Error error = refused(R"({"a\"\\":1,"a\"\\":2})");
  BOOST_TEST(error.message() == R"(key 'a"\' occurs twice in one object, first at byte 1)");
  BOOST_TEST(error.where() == "config.json, byte 11");
}

BOOST_AUTO_TEST_CASE(allows_one_key_in_two_objects) {
  BOOST_TEST(parse(R"([{"a":1},{"a":{"a":2}}])").size() == 2u);
}

BOOST_AUTO_TEST_CASE(refuses_a_byte_order_mark) {
  const Error error = refused("\xEF\xBB\xBF{}");
  BOOST_TEST(error.message() == "text begins with a byte order mark");
  BOOST_TEST(error.where() == "config.json, byte 0");
}

BOOST_AUTO_TEST_CASE(refuses_utf16_and_names_it) {
  BOOST_TEST(refused("\xFF\xFE{").message() == "text is UTF-16, need UTF-8");
  BOOST_TEST(refused("\xFE\xFF{").message() == "text is UTF-16, need UTF-8");
  BOOST_TEST(refused(std::string_view("{\0}\0", 4)).hint() == "is the file UTF-16?");
}

BOOST_AUTO_TEST_CASE(refuses_a_nul_at_the_end) {
  const Error error = refused(std::string_view("{}\0", 3));
  BOOST_TEST(error.message() == "text holds a NUL byte");
  BOOST_TEST(error.where() == "config.json, byte 2");
}

BOOST_AUTO_TEST_CASE(refuses_text_after_the_value) {
  const Error error = refused("{} x");
  BOOST_TEST(has(error.message(), "not JSON (line 1, column 4)"));
  BOOST_TEST(error.where() == "config.json, byte 3");
}

BOOST_AUTO_TEST_CASE(refuses_an_empty_text) {
  const Error error = refused("");
  BOOST_TEST(error.message() == "text is empty, need JSON");
  BOOST_TEST(error.where() == "config.json, byte 0");
}

BOOST_AUTO_TEST_CASE(refuses_a_text_that_is_cut_off) {
  const Error error = refused("{\"a\": [1, 2");
  BOOST_TEST(has(error.message(), "unexpected end of input"));
  BOOST_TEST(error.where() == "config.json, byte 11");
  BOOST_TEST(has(error.hint(), "ends too early"));
}

BOOST_AUTO_TEST_CASE(counts_lines_and_columns) {
  const Error error = refused("{\n  \"a\": 1,\n  oops\n}");
  BOOST_TEST(has(error.message(), "not JSON (line 3, column 3)"));
  BOOST_TEST(error.where() == "config.json, byte 14");
}

BOOST_AUTO_TEST_CASE(refuses_a_comment_and_says_so) {
  BOOST_TEST(refused("{ // bits\n}").hint() == "JSON has no comments");
  BOOST_TEST(refused("# bits\n{}").hint() == "JSON has no comments");
}

BOOST_AUTO_TEST_CASE(refuses_a_comma_too_many_and_says_so) {
  BOOST_TEST(has(refused("{\"a\": 1, \n}").hint(), "comma"));
  BOOST_TEST(has(refused("[1,]").hint(), "comma"));
  BOOST_TEST(refused("}").hint() == "");
}

BOOST_AUTO_TEST_CASE(refuses_single_quotes_and_says_so) {
  BOOST_TEST(has(refused("{'a': 1}").hint(), "double quotes"));
}

BOOST_AUTO_TEST_CASE(refuses_the_numbers_that_python_adds) {
  BOOST_TEST(has(refused("[NaN]").hint(), "python writes NaN"));
  BOOST_TEST(has(refused("[Infinity]").hint(), "python writes NaN"));
  BOOST_TEST(has(refused("[-Infinity]").hint(), "python writes NaN"));
}

BOOST_AUTO_TEST_CASE(refuses_a_number_that_no_double_holds) {
  const Error error = refused("{\"a\": 1e400}");
  BOOST_TEST(error.message() == "number '1e400' is out of range");
  BOOST_TEST(error.where() == "config.json, byte 6");
}

BOOST_AUTO_TEST_CASE(refuses_a_whole_number_of_400_digits) {
  const Error error = refused(repeated("9", 400));
  BOOST_TEST(has(error.message(), "is out of range"));
  BOOST_TEST(error.message().size() < 300u);
}

BOOST_AUTO_TEST_CASE(refuses_a_string_that_is_not_utf8) {
  const Error error = refused("[\"\xC3(\"]");
  BOOST_TEST(has(error.message(), "ill-formed UTF-8 byte"));
  BOOST_TEST(has(error.message(), "\\xC3"));
  BOOST_TEST(error.where() == "config.json, byte 3");
}

BOOST_AUTO_TEST_CASE(refuses_a_lone_surrogate) {
  BOOST_TEST(has(refused(R"(["\udc00"])").message(), "surrogate"));
}

BOOST_AUTO_TEST_CASE(refuses_a_raw_control_character_in_a_string) {
  const Error error = refused("[\"a\nb\"]");
  BOOST_TEST(has(error.message(), "control character"));
  BOOST_TEST(!has(error.message(), "\n"));
}

BOOST_AUTO_TEST_CASE(allows_64_levels_and_refuses_65) {
  BOOST_TEST(parse(repeated("[", 64) + repeated("]", 64)).is_array());
  const Error error = refused(repeated("[", 65) + repeated("]", 65));
  BOOST_TEST(error.message() == "nested deeper than 64 levels");
  BOOST_TEST(error.where() == "config.json, byte 64");
}

BOOST_AUTO_TEST_CASE(refuses_a_million_levels_of_objects) {
  BOOST_TEST(refused(repeated(R"({"a":)", 1'000'000)).message() == "nested deeper than 64 levels");
}

BOOST_AUTO_TEST_CASE(refuses_more_values_than_the_limit) {
  JsonLimits limits;
  limits.nodes = 3;
  BOOST_TEST(parse_json("[1,2]", "config.json", limits).size() == 2u);
  const Error error = refused("[1,22,333]", limits);
  BOOST_TEST(error.message() == "more than 3 values in one text");
  BOOST_TEST(error.where() == "config.json, byte 6");
}

BOOST_AUTO_TEST_CASE(refuses_more_bytes_than_the_limit) {
  JsonLimits limits;
  limits.bytes = 4;
  BOOST_TEST(refused("[1,2]", limits).message() == "text of 5 bytes, the limit is 4");
}

BOOST_AUTO_TEST_CASE(points_at_the_beginning_of_each_kind_of_value) {
  JsonLimits limits;
  limits.nodes = 1;
  for (const char* text : {"[ 12]", "[ 12 ]", "[ -1.5e+3]", "[ true]", "[ null ]", "[ \"a\\\"b\"]",
                           "[ []]", "[ {}]"}) {
    BOOST_TEST(refused(text, limits).where() == "config.json, byte 2");
  }
  limits.nodes = 0;
  BOOST_TEST(refused("  12", limits).where() == "config.json, byte 2");
}

BOOST_AUTO_TEST_CASE(shows_a_hostile_file_name_escaped) {
  const Error error = refusal([] { parse_json("", "a\x1B[2J"); });
  BOOST_TEST(error.where() == "a\\x1B[2J, byte 0");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::test
