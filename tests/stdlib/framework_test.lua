-- The test framework tells right from wrong, or no other test means anything.

local test = require "test"

local function outcome_of(body) return test.run { name = "inner", body = body } end

test("a body that returns has passed", function()
  test.equal(outcome_of(function() end).status, "passed")
end)

test("tables with the same content are equal", function()
  test.equal({ 1, { a = { "x" } } }, { 1, { a = { "x" } } })
end)

test("a difference is shown with both values and its path", function()
  local outcome = outcome_of(function() test.equal({ a = { 1, 2 } }, { a = { 1, 3 } }) end)
  test.equal(outcome.status, "failed")
  test.equal(outcome.message,
    "got {a = {1, 2}}, wanted {a = {1, 3}}; they differ at .a[2]")
  test.ok(outcome.where:find("framework_test.lua:%d+"), outcome.where)
end)

test("a key too many is a difference", function()
  test.equal(outcome_of(function() test.equal({ a = 1, b = 2 }, { a = 1 }) end).status, "failed")
end)

test("a key too few is a difference", function()
  test.equal(outcome_of(function() test.equal({}, { a = false }) end).status, "failed")
end)

test("tables that contain themselves can be compared", function()
  local one, other = {}, {}
  one.self, other.self = one, other
  test.equal(one, other)
end)

test("NaN is not near anything", function()
  test.equal(outcome_of(function() test.near(0 / 0, 1, 10) end).status, "failed")
end)

test("nothing raised where an error is wanted is a failure", function()
  test.equal(outcome_of(function() test.raises("boom", function() end) end).status, "failed")
end)

test("another error than the wanted one is a failure", function()
  local outcome = outcome_of(function()
    test.raises("boom", function() error("bang", 0) end)
  end)
  test.equal(outcome.message, "raised \"bang\", wanted an error like 'boom'")
end)

test("a failed assertion inside raises is not taken for the wanted error", function()
  local outcome = outcome_of(function()
    test.raises("wanted", function() test.equal(1, 2) end)
  end)
  test.equal(outcome.message, "got 1, wanted 2")
end)

test("an error in a body is a failure with a trace", function()
  local outcome = outcome_of(function() error("broken") end)
  test.equal(outcome.status, "failed")
  test.ok(outcome.message:find("broken", 1, true) and outcome.message:find("traceback", 1, true),
    outcome.message)
end)

test("a skip keeps its reason", function()
  test.equal(outcome_of(function() test.skip("no GPU") end),
    { status = "skipped", message = "no GPU" })
end)

test("two temporary files have two names", function()
  test.ok(test.tmpfile(".json") ~= test.tmpfile(".json"))
end)
