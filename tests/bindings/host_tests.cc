// The state as a whole: want of memory at every point, and what is left when it is closed.

#include "bindings/host/host.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <string>

#include "bindings/host/libraries.h"
#include "script.h"

namespace qspec::lua {
namespace {

// Refuses the allocation number `refused` (and, when `for_ever`, all after it) of the process.
struct Faults {
  int64_t count = 0;
  int64_t refused = -1;
  bool for_ever = false;
  int64_t live_blocks = 0;
};

Faults faults;

void* faulty_allocate(void* host, void* block, size_t old_size, size_t new_size) {
  // Within lua_newstate this LuaJIT itself does not survive a refusal.
  const bool made = static_cast<Host*>(host)->state() != nullptr;
  if (made && new_size > old_size) {
    const int64_t number = faults.count++;
    if (number == faults.refused ||
        (faults.for_ever && faults.refused >= 0 && number > faults.refused)) {
      return nullptr;
    }
  }
  void* result = Host::allocate(host, block, old_size, new_size);
  if (block == nullptr && result != nullptr) ++faults.live_blocks;
  if (block != nullptr && new_size == 0) --faults.live_blocks;
  return result;
}

// Touches each kind of function that allocates between the languages.
constexpr const char* kScript = R"lua(
local json = require "host.json"
local sandbox = require "host.sandbox"
local checkpoint = require "host.checkpoint"
local text = json.encode(json.decode('{"a":[1,2.5,null,true],"b":{"c":"d"}}'), { indent = 2 })
local parts = {}
for word in text:gmatch("%w+") do parts[#parts + 1] = word:upper():rep(2) end
table.sort(parts, function(a, b) return a < b end)
local joined = table.concat(parts, ","):gsub("%a", function(c) return c .. c end)
local home = require("host.system").home()
local model = checkpoint.open(home .. "/examples/models/bloom-tiny-bnb-nf4")
local overlay = model:overlay()
overlay:put("x", "F32", { 1 }, "abcd")
local size = #overlay:bytes("x")
pcall(json.decode, "{")
pcall(checkpoint.open, "/nowhere")
local environment = sandbox.environment { print = function() end }
local chunk = assert(sandbox.load("print(1) return pcall(error, 'x')", "@spec:x.lua", environment))
local passed = assert(sandbox.call({ steps = 1e6, seconds = 9, bytes = 2 ^ 24 }, chunk))
local object = sandbox.object({ f = function(self) return sandbox.state(self).v end }, { v = size })
return tostring(passed) .. object:f() .. #joined
)lua";

// The outcome with the given faults; an error of the constructor counts as one of the script.
Outcome run_with(int64_t refused, bool for_ever) {
  faults = {0, refused, for_ever, 0};
  try {
    Host host(source_tree(), faulty_allocate);
    return run(host, kScript);
  } catch (const Error& error) {
    return {false, error.message()};
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(host_tests)

BOOST_AUTO_TEST_CASE(every_allocation_that_fails_once_is_a_clean_error) {
  const Outcome whole = run_with(-1, false);
  BOOST_TEST_REQUIRE(whole.passed, whole.text);
  BOOST_TEST(faults.live_blocks == 0);
  const int64_t total = faults.count;
  BOOST_TEST(total > 500);
  int failures = 0;
  for (int64_t k = 0; k < total; ++k) {
    const Outcome outcome = run_with(k, false);
    if (!outcome.passed) ++failures;
    BOOST_TEST(faults.live_blocks == 0,
               "allocation " << k << " left " << faults.live_blocks << " blocks behind");
    BOOST_TEST((!outcome.passed || outcome.text == whole.text),
               "allocation " << k << " gave the wrong result " << outcome.text);
  }
  BOOST_TEST(failures > total / 2);
}

BOOST_AUTO_TEST_CASE(memory_that_ends_for_good_at_any_allocation_is_a_clean_error) {
  run_with(-1, false);
  const int64_t total = faults.count;
  for (int64_t k = 0; k < total; k += 7) {
    const Outcome outcome = run_with(k, true);
    BOOST_TEST(!outcome.passed, "without memory after allocation " << k << " it went on");
    BOOST_TEST(faults.live_blocks == 0, "allocation " << k << " left blocks behind");
  }
}

BOOST_AUTO_TEST_CASE(a_closed_state_has_given_all_its_memory_back) {
  run_with(-1, false);
  BOOST_TEST(faults.live_blocks == 0);
}

BOOST_AUTO_TEST_CASE(the_globals_are_those_that_the_standard_library_needs) {
  const Outcome outcome = run(
      "local names = {} for name in pairs(_G) do names[#names + 1] = name end table.sort(names) "
      "return table.concat(names, ' ')");
  BOOST_TEST(outcome.text ==
             "_G _VERSION assert bit collectgarbage coroutine debug error getmetatable ipairs math "
             "next package pairs pcall print rawequal rawget rawset require select setmetatable "
             "string table tonumber tostring type unpack xpcall");
}

BOOST_AUTO_TEST_CASE(no_module_of_lua_reaches_files_processes_or_foreign_functions) {
  for (const char* name : {"io", "os", "ffi", "jit", "jit.opt", "jit.util", "string.buffer",
                           "table.new", "table.clear", "thread.exdata"}) {
    const Outcome outcome = run(std::string("return require '") + name + "'");
    BOOST_TEST(!outcome.passed, name << " can be loaded");
    BOOST_TEST(outcome.text.find("not found") != std::string::npos, outcome.text);
  }
}

BOOST_AUTO_TEST_CASE(debug_is_the_two_functions_of_traces) {
  BOOST_TEST(run("local names = {} for name in pairs(debug) do names[#names + 1] = name end "
                 "table.sort(names) return table.concat(names, ' ')")
                 .text == "getinfo traceback");
  BOOST_TEST(run("return require 'debug' == debug").text == "true");
}

BOOST_AUTO_TEST_CASE(a_module_that_failed_to_load_says_why_each_time) {
  const Outcome outcome =
      run("package.preload.broken = function() error('the reason', 0) end "
          "pcall(require, 'broken') return select(2, pcall(require, 'broken'))");
  BOOST_TEST(outcome.text == "the reason");
}

BOOST_AUTO_TEST_CASE(modules_that_need_each_other_are_an_error) {
  const Outcome outcome =
      run("package.preload.a = function() return require 'b' end "
          "package.preload.b = function() return require 'a' end "
          "return select(2, pcall(require, 'a'))");
  BOOST_TEST(outcome.text.find("loop") != std::string::npos, outcome.text);
}

BOOST_AUTO_TEST_CASE(a_fault_that_nobody_caught_ends_with_its_own_exit_code) {
  Host host({"/proc/self/exe", QSPEC_SOURCE_DIR, "/nowhere"});
  BOOST_TEST(host.run({"version"}) == Host::kExitInternal);
}

BOOST_AUTO_TEST_CASE(nothing_is_compiled_to_machine_code) {
  BOOST_TEST(run("local x = 0 for i = 1, 1e5 do x = x + i end return x").text == "5000050000");
  Host host(source_tree());
  BOOST_TEST(run(host, "return jit == nil").text == "true");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace qspec::lua
