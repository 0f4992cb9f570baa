// C++ exceptions, Lua errors and handles where the two languages meet.

#include "bindings/boundary.h"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <new>
#include <stdexcept>

#include "script.h"

namespace qspec::lua {
namespace {

int live = 0;

struct Counted {
  Counted() { ++live; }
  ~Counted() { --live; }
};

struct BoxHandle {
  static constexpr const char* kLuaName = "test.Box";
  std::shared_ptr<Counted> counted;
};

int throw_error(lua_State*) {
  throw Error(ErrorKind::kCheckpoint, "found 1, wanted 2").at("file", 8).hint("look");
}
int throw_no_memory(lua_State*) {
  throw std::bad_alloc();
}
int throw_other(lua_State*) {
  throw std::runtime_error("something else");
}

int raise_over_object(lua_State* L) {
  const Counted counted;
  return luaL_error(L, "raised in C");
}

int call_back(lua_State* L) {
  const Counted counted;
  lua_pushvalue(L, 1);
  lua_call(L, 0, 0);
  return 0;
}

int want_integer(lua_State* L) {
  push_integer(L, check_integer(L, 1));
  return 1;
}

int make_box(lua_State* L) {
  push_handle(L, BoxHandle{std::make_shared<Counted>()});
  return 1;
}

int open_box(lua_State* L) {
  check_handle<BoxHandle>(L, 1);
  lua_pushliteral(L, "open");
  return 1;
}

constexpr luaL_Reg kMethods[] = {{"open", guard<open_box>}, {nullptr, nullptr}};
constexpr luaL_Reg kFunctions[] = {
    {"throw_error", guard<throw_error>}, {"throw_no_memory", guard<throw_no_memory>},
    {"throw_other", guard<throw_other>}, {"raise_over_object", guard<raise_over_object>},
    {"call_back", guard<call_back>},     {"want_integer", guard<want_integer>},
    {"make_box", guard<make_box>},       {nullptr, nullptr}};

int open_module(lua_State* L) {
  register_type(L, BoxHandle::kLuaName, kMethods, nullptr, release_handle<BoxHandle>);
  push_functions(L, "box", kFunctions);
  lua_setglobal(L, "box");
  return 0;
}

struct BoundHost {
  BoundHost() { lua_cpcall(host.state(), open_module, nullptr); }
  Host host{source_tree()};
  Outcome operator()(const std::string& text) { return run(host, text); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(boundary_tests)

BOOST_FIXTURE_TEST_CASE(an_error_keeps_kind_message_place_and_hint, BoundHost) {
  const Outcome outcome = (*this)(
      "local _, e = pcall(box.throw_error) return e.kind .. '|' .. e.message .. '|' .. e.where .. "
      "'|' .. e.hint .. '|' .. tostring(e)");
  BOOST_TEST(outcome.text ==
             "checkpoint|found 1, wanted 2|file, byte 8|look|found 1, wanted 2 (file, byte 8)");
}

BOOST_FIXTURE_TEST_CASE(want_of_memory_is_a_device_error, BoundHost) {
  BOOST_TEST((*this)("local _, e = pcall(box.throw_no_memory) return e.kind").text == "device");
}

BOOST_FIXTURE_TEST_CASE(an_unknown_exception_is_an_internal_error_with_its_text, BoundHost) {
  BOOST_TEST((*this)("local _, e = pcall(box.throw_other) return e.kind .. e.message").text ==
             "internalsomething else");
}

BOOST_FIXTURE_TEST_CASE(a_lua_error_passes_through_and_destroys_what_it_passes, BoundHost) {
  BOOST_TEST((*this)("return select(2, pcall(box.raise_over_object))").text == "raised in C");
  BOOST_TEST(
      (*this)("return select(2, pcall(box.call_back, function() error('mine', 0) end))").text ==
      "mine");
  BOOST_TEST(live == 0);
}

BOOST_FIXTURE_TEST_CASE(an_error_in_a_callback_keeps_its_value, BoundHost) {
  BOOST_TEST(
      (*this)("return select(2, pcall(box.call_back, function() error({ code = 7 }) end)).code")
          .text == "7");
}

BOOST_FIXTURE_TEST_CASE(an_error_thrown_within_a_callback_passes_both_languages, BoundHost) {
  BOOST_TEST((*this)("return select(2, pcall(box.call_back, box.throw_error)).kind").text ==
             "checkpoint");
  BOOST_TEST(live == 0);
}

BOOST_FIXTURE_TEST_CASE(argument_errors_name_the_function_under_pcall, BoundHost) {
  BOOST_TEST((*this)("return select(2, pcall(box.want_integer, 'x')).message").text ==
             "argument 1 of 'box.want_integer' is a string, wanted a number");
}

BOOST_FIXTURE_TEST_CASE(whole_numbers_refuse_fractions_nan_and_what_a_double_does_not_hold,
                        BoundHost) {
  for (const char* bad : {"1.5", "0/0", "1/0", "2^53 + 2", "-2^60"}) {
    BOOST_TEST(!(*this)(std::string("return box.want_integer(") + bad + ")").passed, bad);
  }
  BOOST_TEST((*this)("return box.want_integer(-2^53) == -2^53").text == "true");
}

BOOST_FIXTURE_TEST_CASE(a_handle_is_destroyed_once_by_release_and_not_again, BoundHost) {
  BOOST_TEST((*this)("local b = box.make_box() b:release() b:release() return b").passed);
  BOOST_TEST(live == 0);
  BOOST_TEST((*this)("collectgarbage() return 1").passed);
  BOOST_TEST(live == 0);
}

BOOST_FIXTURE_TEST_CASE(a_handle_is_destroyed_by_the_collector, BoundHost) {
  BOOST_TEST((*this)("box.make_box() box.make_box() return 1").passed);
  BOOST_TEST(live == 2);
  BOOST_TEST((*this)("collectgarbage() collectgarbage() return 1").passed);
  BOOST_TEST(live == 0);
}

BOOST_AUTO_TEST_CASE(handles_that_nobody_released_are_destroyed_with_the_state) {
  {
    BoundHost host;
    BOOST_TEST(host("kept = box.make_box() return kept:open()").text == "open");
    BOOST_TEST(live == 1);
  }
  BOOST_TEST(live == 0);
}

BOOST_FIXTURE_TEST_CASE(a_released_handle_is_refused_by_name, BoundHost) {
  BOOST_TEST((*this)("local b = box.make_box() b:release() return b:open()").text ==
             "test.Box was released");
}

BOOST_FIXTURE_TEST_CASE(a_handle_of_another_type_is_refused, BoundHost) {
  (*this)("checkpoint = require 'host.checkpoint'");
  const Outcome outcome = (*this)("local c = checkpoint.open('" QSPEC_SOURCE_DIR
                                  "/examples/models/bloom-tiny') "
                                  "return box.make_box().open(c)");
  BOOST_TEST(outcome.text == "argument 1 of 'test.Box:open' is a userdata, wanted test.Box");
}

BOOST_FIXTURE_TEST_CASE(a_metatable_shows_only_the_name_of_its_type, BoundHost) {
  BOOST_TEST((*this)("return getmetatable(box.make_box())").text == "test.Box");
  BOOST_TEST(!(*this)("setmetatable(box.make_box(), {})").passed);
}

BOOST_FIXTURE_TEST_CASE(nested_calls_of_functions_end_before_the_c_stack_does, BoundHost) {
  const Outcome outcome = (*this)("local function f() box.call_back(f) end f()");
  BOOST_TEST(outcome.text == "stack overflow: 200 nested calls of the host's functions");
  BOOST_TEST((*this)("return 1").text == "1");
  BOOST_TEST(live == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::lua
