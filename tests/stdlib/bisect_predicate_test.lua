local predicate = require "qspec.bisect.predicate"
local test = require "test"

local NAN = 0 / 0

local function holds(text, values)
  return predicate.parse(text):holds(values)
end

test("a number is compared in each of four ways", function()
  test.ok(holds("kl.mean < 0.02", { ["kl.mean"] = 0.019 }))
  test.ok(not holds("kl.mean < 0.02", { ["kl.mean"] = 0.02 }))
  test.ok(holds("kl.mean <= 2e-2", { ["kl.mean"] = 0.02 }))
  test.ok(holds("same_top > .9", { same_top = 0.91 }))
  test.ok(holds("same_top>=0.9", { same_top = 0.9 }))
  test.ok(holds("perplexity_ratio < +1.5", { perplexity_ratio = -1 }))
end)

test("NaN fulfils no comparison", function()
  for _, operator in ipairs { "<", "<=", ">", ">=" } do
    test.ok(not holds("kl.mean " .. operator .. " 1", { ["kl.mean"] = NAN }))
  end
end)

test("infinity is more than any number", function()
  test.ok(not holds("kl.max < 1e300", { ["kl.max"] = math.huge }))
end)

test("a fact is asked for, or denied", function()
  test.ok(holds("tokens_equal", { tokens_equal = true }))
  test.ok(not holds("not tokens_equal", { tokens_equal = true }))
  test.ok(holds("not first_token_changed", { first_token_changed = false }))
end)

test("conditions joined by 'and' must all hold", function()
  local text = "kl.mean < 1 and same_top > 0.5 and tokens_equal"
  local values = { ["kl.mean"] = 0.5, same_top = 0.6, tokens_equal = true }
  test.ok(holds(text, values))
  values.same_top = 0.5
  test.ok(not holds(text, values))
end)

test("what is found is told once for each measure", function()
  local parsed = predicate.parse("kl.mean > 0 and kl.mean < 1 and not first_token_changed")
  test.equal(parsed:describe { ["kl.mean"] = 0.25, first_token_changed = true },
    "kl.mean 0.25, first_token_changed true")
  test.equal(predicate.parse("kl.max < 1"):describe { ["kl.max"] = NAN }, "kl.max NaN")
end)

-- The column, what is found there, and what is wanted.
for text, wanted in pairs {
  [""] = "column 1: found the end, wanted a measure",
  ["kl.meen < 1"] = "column 1: found 'kl.meen', wanted a measure",
  ["kl.mean"] = "column 8: found the end, wanted a comparison",
  ["kl.mean = 1"] = "column 9: found '=', wanted a comparison",
  ["kl.mean == 1"] = "column 9: found '=', wanted a comparison",
  ["kl.mean < x"] = "column 11: found 'x', wanted a number",
  ["kl.mean < 0x10"] = "column 11: found '0x10', wanted a number",
  ["kl.mean < nan"] = "column 11: found 'nan', wanted a number",
  ["kl.mean < inf"] = "column 11: found 'inf', wanted a number",
  ["kl.mean < 1.2.3"] = "column 11: found '1.2.3', wanted a number",
  ["kl.mean < 1 or same_top > 1"] = "column 13: found 'or', wanted 'and' or the end",
  ["kl.mean < 1 and"] = "column 16: found the end, wanted a measure",
  ["tokens_equal < 1"] = "column 14: found '<', wanted 'and' or the end",
  ["not kl.mean < 1"] = "column 5: kl.mean is a number",
} do
  test(("'%s' is refused where it goes wrong"):format(text), function()
    local err = test.raises("", predicate.parse, text)
    test.equal(err.kind, "usage")
    test.ok(err.message:find(wanted, 1, true), err.message)
  end)
end

test("a typo in a measure gets the nearest name", function()
  test.equal(test.raises("", predicate.parse, "kl.meen < 1").hint, "did you mean 'kl.mean'?")
  test.equal(test.raises("", predicate.parse, "token_equal").hint, "did you mean 'tokens_equal'?")
end)
