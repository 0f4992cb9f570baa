// JSON as Lua values and back.

#include "bindings/value.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "script.h"

namespace qspec::lua {
namespace {

std::string json(const std::string& expression) {
  return run("local json = require 'host.json' return " + expression).text;
}

std::string round_trip(const std::string& text) {
  return json("json.encode((json.decode [=[" + text + "]=]))");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(value_tests)

BOOST_AUTO_TEST_CASE(what_was_decoded_is_encoded_as_it_was) {
  for (const char* text :
       {R"({"z":1,"a":[1,2,{"b":null}],"m":{},"e":[],"t":true,"f":false,"s":"\"\\é"})", "[]", "{}",
        "[[],[[]],{}]", "null", "-1", "0.1", "1e+300", "\"\"", R"({"":1})"}) {
    BOOST_TEST(round_trip(text) == text);
  }
}

BOOST_AUTO_TEST_CASE(floats_stay_floats_when_the_kinds_are_given) {
  BOOST_TEST(json("(function() local v, k = json.decode '[6,6.0,{\"a\":-0.0,\"b\":1e3}]' "
                  "return json.encode(v, { kinds = k }) end)()") ==
             "[6,6.0,{\"a\":-0.0,\"b\":1000.0}]");
}

BOOST_AUTO_TEST_CASE(kinds_tell_six_from_six_point_zero) {
  BOOST_TEST(json("json.encode(json.kinds '[6,6.0,\"6\",true,null,9007199254740993,[],{}]')") ==
             R"(["integer","float","string","boolean","null","inexact",[],{}])");
}

BOOST_AUTO_TEST_CASE(whole_numbers_print_without_a_fraction_and_others_shortest) {
  BOOST_TEST(json("json.encode { 3, 2^53, 0.1, 1/3, -7 }") ==
             "[3,9007199254740992,0.1,0.3333333333333333,-7]");
}

BOOST_AUTO_TEST_CASE(negative_zero_keeps_its_sign) {
  BOOST_TEST(json("json.encode { -0.0 }") == "[-0.0]");
}

BOOST_AUTO_TEST_CASE(what_json_cannot_write_becomes_a_text) {
  BOOST_TEST(json("json.encode { 0/0, 1/0, -1/0 }") == R"(["NaN","Infinity","-Infinity"])");
}

BOOST_AUTO_TEST_CASE(an_empty_table_is_an_object_unless_it_is_marked) {
  BOOST_TEST(json("json.encode { {}, json.array {}, json.array() }") == "[{},[],[]]");
}

BOOST_AUTO_TEST_CASE(new_keys_follow_those_of_the_file_in_alphabetical_order) {
  BOOST_TEST(json("(function() local v = json.decode '{\"z\":1,\"k\":2,\"a\":3}' "
                  "v.k = nil v.y = 4 v.b = 5 return json.encode(v) end)()") ==
             R"({"z":1,"a":3,"b":5,"y":4})");
}

BOOST_AUTO_TEST_CASE(sorting_goes_before_the_order_of_the_file) {
  BOOST_TEST(
      json("json.encode((json.decode '{\"z\":1,\"a\":{\"y\":1,\"b\":2}}'), { sort = true })") ==
      R"({"a":{"b":2,"y":1},"z":1})");
}

BOOST_AUTO_TEST_CASE(keys_lists_the_order_of_the_file) {
  BOOST_TEST(json("table.concat(json.keys(json.decode '{\"z\":1,\"a\":2}'), ' ')") == "z a");
}

BOOST_AUTO_TEST_CASE(null_is_one_value_and_equal_to_nothing_else) {
  BOOST_TEST(json("json.decode('[null]')[1] == json.null") == "true");
  BOOST_TEST(json("tostring(json.null)") == "null");
  BOOST_TEST(json("json.null == nil") == "false");
}

BOOST_AUTO_TEST_CASE(lists_are_told_from_objects) {
  BOOST_TEST(json("json.is_array { 1, 2 }") == "true");
  BOOST_TEST(json("json.is_array { 1, nil, 3 }") == "false");
  BOOST_TEST(json("json.is_array {}") == "false");
  BOOST_TEST(json("json.is_array(json.decode '[]')") == "true");
  BOOST_TEST(json("json.is_array(json.decode '{}')") == "false");
  BOOST_TEST(json("json.is_array 'x'") == "false");
}

BOOST_AUTO_TEST_CASE(a_table_that_holds_itself_is_refused) {
  const std::string text = json("(function() local t = {} t.t = t return json.encode(t) end)()");
  BOOST_TEST(text == "a value is nested deeper than 64 levels");
}

BOOST_AUTO_TEST_CASE(text_that_is_nested_too_deep_is_refused) {
  const Outcome outcome =
      run("return require('host.json').decode(('['):rep(1e6) .. (']'):rep(1e6))");
  BOOST_TEST(!outcome.passed);
  BOOST_TEST(outcome.text.find("64") != std::string::npos, outcome.text);
}

BOOST_AUTO_TEST_CASE(the_deepest_allowed_value_goes_both_ways) {
  BOOST_TEST(json("json.encode((json.decode(('['):rep(64) .. (']'):rep(64))))") ==
             std::string(64, '[') + std::string(64, ']'));
}

BOOST_AUTO_TEST_CASE(values_that_json_lacks_are_refused_with_their_place) {
  BOOST_TEST(json("json.encode { a = { b = { 1, print } } }") ==
             "JSON cannot hold a function, found at value.a.b[2]");
}

BOOST_AUTO_TEST_CASE(a_table_that_is_half_a_list_is_refused) {
  BOOST_TEST(json("json.encode { x = { 1, y = 2 } }") ==
             "an object of JSON has only text keys, found a number key in value.x");
}

BOOST_AUTO_TEST_CASE(a_list_with_a_hole_is_refused) {
  BOOST_TEST(!run("return require('host.json').encode { 1, nil, 3 }").passed);
}

BOOST_AUTO_TEST_CASE(the_memory_of_orders_does_not_keep_tables_alive) {
  BOOST_TEST(run("local json = require 'host.json' local weak = setmetatable({}, { __mode = 'k' }) "
                 "weak[json.decode '{\"a\":[1]}'] = true collectgarbage() collectgarbage() "
                 "return next(weak) == nil")
                 .text == "true");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::lua
