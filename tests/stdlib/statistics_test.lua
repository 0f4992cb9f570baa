-- Intervals and verdicts, on what is known to be true and drawn many times.

local beta = require "qspec.statistics.beta"
local gate = require "qspec.statistics.gate"
local mean = require "qspec.statistics.mean"
local share = require "qspec.statistics.share"
local test = require "test"

local TRIALS = 600

-- Values of scipy 1.16: stats.t.ppf, stats.beta.ppf, stats.beta.cdf.
test("quantiles of Student's t and of the beta distribution are those of scipy", function()
  for freedom, wanted in pairs { [1] = 12.706204736175, [2] = 4.302652729750, [5] = 2.570581835636,
    [30] = 2.042272456301, [256] = 1.969273889656 } do
    test.near(beta.student(0.975, freedom), wanted, 1e-11 * wanted)
  end
  test.near(beta.quantile(0.975, 11, 990), 0.01831324305511245, 1e-15)
  test.near(beta.quantile(0.025, 10, 991), 0.004805510691049308, 1e-15)
  test.near(beta.quantile(0.975, 1, 1953), 0.0018870444540023768, 1e-15)
  test.near(beta.cdf(0.3, 2.5, 7), 0.6412224629717214, 1e-14)
end)

test("the share of no token is at most what three of its size would show once", function()
  local none = {}
  for i = 1, 1000 do none[i] = false end
  local interval = share.interval(none, 0.95)
  test.equal(interval.value, 0)
  test.equal(interval.low, 0)
  test.near(interval.high, 1 - 0.025 ^ (1 / 1000), 1e-12)
end)

test("equal values leave no doubt, and nothing is divided by zero", function()
  local interval = mean.interval({ 0, 0, 0, 0, 0 }, 0.95)
  test.equal({ interval.value, interval.low, interval.high }, { 0, 0, 0 })
  test.equal(gate.verdict(interval, "<=", 0), "pass")
end)

test("one token says nothing of a mean", function()
  local interval = mean.interval({ 3 }, 0.95)
  test.equal(gate.verdict(interval, "<=", 1000), "inconclusive")
  test.equal(gate.tokens_to_decide(interval, "<=", 1000), nil)
end)

test("an infinite mean is over every limit, and one that is no number keeps to none", function()
  test.equal(gate.verdict(mean.interval({ 0, math.huge, 0 }, 0.95), "<=", 1e300), "fail")
  test.equal(gate.verdict(mean.interval({ 0, 0 / 0, 0 }, 0.95), "<=", 1e300), "fail")
end)

test("a limit inside the interval is left open, with the tokens that would decide", function()
  local list = {}
  for i = 1, 100 do list[i] = (i % 2 == 0) and 1 or -1 + 0.4 end
  local interval = mean.interval(list, 0.95)
  local limit = interval.value + (interval.high - interval.value) / 3
  test.equal(gate.verdict(interval, "<=", limit), "inconclusive")
  local tokens = gate.tokens_to_decide(interval, "<=", limit)
  local _, high = interval.at(tokens)
  local _, before = interval.at(tokens - 1)
  test.ok(high <= limit and before > limit)
  test.near(tokens, 900, 60)  -- a third of the width takes nine times the tokens
end)

test("no number of tokens decides what lies on its limit", function()
  local interval = mean.interval({ 1, 2, 3, 4, 5, 6, 7, 8 }, 0.95)
  test.equal(gate.tokens_to_decide(interval, "<=", interval.value), nil)
end)

test("a least value is judged as a largest one turned around", function()
  local list = {}
  for i = 1, 80 do list[i] = 2 + math.sin(i) end
  local interval = mean.interval(list, 0.95)
  test.equal(gate.verdict(interval, ">=", 0), "pass")
  test.equal(gate.verdict(interval, ">=", 9), "fail")
end)

-- Drawn with known means --------------------------------------------------------------------------

local function normal()
  return math.sqrt(-2 * math.log(1 - math.random())) * math.cos(2 * math.pi * math.random())
end

-- Standard normal values, each of which has `memory` of the one before.
local function series(count, memory)
  local list, value = {}, normal()
  for i = 1, count do
    list[i] = value
    value = memory * value + math.sqrt(1 - memory ^ 2) * normal()
  end
  return list
end

local function lognormal(count, memory, spread)
  local list = series(count, memory)
  for i, value in ipairs(list) do list[i] = math.exp(spread * value - spread ^ 2 / 2) end
  return list  -- their mean is 1
end

-- How often a limit that the truth breaks passes, and one that it keeps fails, when the limit is
-- the truth itself: the most that either error can be.
local function errors(truth, interval_of)
  local passed, failed = 0, 0
  for seed = 1, TRIALS do
    math.randomseed(seed)
    local verdict = gate.verdict(interval_of(), "<=", truth)
    passed = passed + (verdict == "pass" and 1 or 0)
    failed = failed + (verdict == "fail" and 1 or 0)
  end
  return passed / TRIALS, failed / TRIALS
end

-- 2.5 % is meant on each side; three standard deviations of 600 draws are 1.9 %.
local MOST = 0.045

local function keeps_its_level(truth, interval_of)
  local passed, failed = errors(truth, interval_of)
  test.ok(passed <= MOST, ("%.1f %% false passes"):format(100 * passed))
  test.ok(failed <= MOST, ("%.1f %% false failures"):format(100 * failed))
end

test("false passes and failures keep to their level for independent tokens", function()
  keeps_its_level(0, function() return mean.interval(series(300, 0), 0.95) end)
end)

test("they do when neighbouring tokens are alike", function()
  keeps_its_level(0, function() return mean.interval(series(300, 0.5), 0.95) end)
end)

test("they do when most tokens have next to nothing and a few a lot", function()
  keeps_its_level(1, function() return mean.interval(lognormal(600, 0, 1), 0.95) end)
end)

test("they do when such tokens come in runs", function()
  keeps_its_level(1, function() return mean.interval(lognormal(600, 0.3, 1), 0.95) end)
end)

test("shares of tokens keep to their level too, rare ones and such that come in runs", function()
  for _, case in ipairs { { 0.01, 0 }, { 0.2, 0 }, { 0.2, 0.5 } } do
    local wanted, memory = case[1], case[2]
    local threshold = wanted == 0.01 and 2.3263478740 or 0.8416212336
    keeps_its_level(wanted, function()
      local flags = series(300, memory)
      for i, value in ipairs(flags) do flags[i] = value > threshold end
      return share.interval(flags, 0.95)
    end)
  end
end)

test("what is far from its limit is decided", function()
  local passed = errors(0.5, function() return mean.interval(series(300, 0.3), 0.95) end)
  test.ok(passed >= 0.99, passed .. " of the true claims passed")
end)

test("a wider confidence makes a wider interval", function()
  math.randomseed(1)
  local list = series(200, 0)
  local narrow, wide = mean.interval(list, 0.8), mean.interval(list, 0.99)
  test.ok(wide.low < narrow.low and wide.high > narrow.high)
end)
