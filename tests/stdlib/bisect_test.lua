-- Faults planted in real models are named, no more and no less, and with few evaluations.

local damaged_models = require "damaged_models"
local json = require "host.json"
local json_schema = require "json_schema"
local random = require "qspec.mutation.random"
local report = require "qspec.bisect.report"
local run = require "qspec.bisect.run"
local test = require "test"

local BLOOM = { model = "examples/models/bloom-tiny-bnb-nf4",
  baseline = "examples/models/bloom-tiny" }
local QWEN2 = { model = "tests/data/qwen2-tiny-gptq4act", baseline = "tests/data/qwen2-tiny" }

-- Of faults each of which alone is noticed: the smaller ones are a test of their own. The limit
-- lies over what the healthy quantization does.
local CASES = {
  { name = "bloom-tiny with swapped nibbles", of = BLOOM, operator = "nibble_swap", limit = 0.06,
    seeds = 50 },
  { name = "bloom-tiny with scales of zero", of = BLOOM, operator = "set_scale", variant = "0",
    limit = 0.06, seeds = 15 },
  { name = "qwen2-tiny with swapped nibbles", of = QWEN2, operator = "nibble_swap", limit = 0.1,
    seeds = 50 },
  { name = "qwen2-tiny with doubled scales", of = QWEN2, operator = "scale_gain", variant = "x 2",
    limit = 0.1, seeds = 15 },
}

local opened = {}

local function open(case)
  local key = case.name
  opened[key] = opened[key] or damaged_models.open { model = case.of.model,
    baseline = case.of.baseline, operator = case.operator, variant = case.variant, tokens = 16 }
  return opened[key]
end

local function places_where(models, holds)
  local places = {}
  for place = 1, #models.healthy.units do
    if holds(place) then places[#places + 1] = place end
  end
  return places
end

-- Units whose fault breaks the predicate without any other. The healthy model must fulfil it.
local function noticed_alone(models, predicate)
  local all = places_where(models, function() return true end)
  test.ok(not models:judge({}, predicate):fails(all), "the healthy model")
  return places_where(models, function(place)
    return models:judge({ place }, predicate):fails { place }
  end)
end

local function chosen(places, count, seed)
  local numbers, list = random.of("faults " .. count .. " of seed " .. seed), { unpack(places) }
  for i = 1, count do
    local other = i - 1 + numbers:below(#list - i + 1)
    list[i], list[other] = list[other], list[i]
  end
  local some = { unpack(list, 1, count) }
  table.sort(some)
  return some
end

local function windows_of(models)
  return function() return models.windows end
end

local function bisected(models, faults, predicate, seed)
  return run.bisect(models:judge(faults, predicate), { windows = windows_of(models), seed = seed })
end

for _, case in ipairs(CASES) do
  local predicate = "kl.mean < " .. case.limit
  for _, count in ipairs { 1, 2, 5 } do
    test(("%s: each of %d seeds names exactly the %d at fault"):format(case.name, case.seeds,
      count), function()
      local models = open(case)
      case.places = case.places or noticed_alone(models, predicate)
      local most = 3 * math.log(#models.healthy.units) / math.log(2) * count + 10
      for seed = 1, case.seeds do
        local faults = chosen(case.places, count, seed)
        local result = bisected(models, faults, predicate)
        table.sort(result.culprits.named)
        test.equal(result.culprits.named, faults, "seed " .. seed)
        test.ok(result.judge.evaluations <= most, ("seed %d took %d evaluations of %.1f"):format(
          seed, result.judge.evaluations, most))
        test.ok(result.without.holds)
        for _, alone in ipairs(result.each) do test.ok(not alone.holds) end
      end
    end)
  end
end

test("another order of trying names the same modules", function()
  local models = open(CASES[1])
  for seed = 1, 5 do
    local result = bisected(models, { 3, 9 }, "kl.mean < 0.06", seed)
    table.sort(result.culprits.named)
    test.equal(result.culprits.named, { 3, 9 })
  end
end)

test("a fault that makes logits NaN is named like any other", function()
  local models = damaged_models.open { model = BLOOM.model, baseline = BLOOM.baseline,
    operator = "set_scale", variant = "NaN", tokens = 16 }
  local result = bisected(models, { 5, 12 }, "kl.mean < 0.06")
  table.sort(result.culprits.named)
  test.equal(result.culprits.named, { 5, 12 })
  test.equal(result.checkpoint.said, "kl.mean NaN")
  local document = json.decode(json.encode(report.to_json(result, "model")), "report")
  test.equal(json_schema.problem(document, "bisect"), nil)
  test.equal(document.checkpoint.values["kl.mean"], "NaN")
end)

test("the JSON names culprits and lists, and is as its schema says", function()
  local models = open(CASES[1])
  local document = json.decode(json.encode(report.to_json(bisected(models, { 3 },
    "kl.mean < 0.06"), "model")), "report")
  test.equal(json_schema.problem(document, "bisect"), nil)
  local name = models.healthy.units[3].name
  test.equal(document.culprits[1].module, name)
  test.equal(document.exclude[1].formats[1], "bitsandbytes")
end)

-- Two places whose faults together do half as much again as the worse of them, and a limit between.
local function pair_only_together(models)
  local function kl(places)
    return models:judge(places, "kl.mean < 1"):verdict(places).values["kl.mean"]
  end
  for first = 1, #models.healthy.units do
    for second = first + 1, #models.healthy.units do
      local worse, both = math.max(kl { first }, kl { second }), kl { first, second }
      if both > 1.5 * worse and worse > 0.1 then return { first, second }, 1.2 * worse end
    end
  end
end

test("faults below the predicate alone are one set, and one of them is enough to leave out",
  function()
    local models = open(CASES[1])
    local faults, limit = pair_only_together(models)
    local result = bisected(models, faults, "kl.mean < " .. limit)
    test.equal(result.culprits.singles, {})
    table.sort(result.culprits.named)
    test.equal(result.culprits.named, faults)
    test.equal(#result.culprits.enough, 1)
    test.ok(result.without.holds and not result.only.holds)
    for _, alone in ipairs(result.each) do test.ok(alone.holds) end
  end)

test("an error that every module has a part in is told as spread, worst first", function()
  local models = open(CASES[1])
  local result = bisected(models, {}, "kl.mean < 0.0009")
  test.ok(result.without.holds)
  test.ok(#result.culprits.enough < #models.healthy.units)
end)

test("a predicate that the checkpoint fulfils has both values in its error", function()
  local models = open(CASES[1])
  local err = test.raises("holds already", bisected, models, { 3 }, "kl.mean < 9")
  test.equal(err.kind, "usage")
  local value = models:judge({ 3 }, "kl.mean < 9"):verdict { 3 }.values["kl.mean"]
  local found = tonumber(err.message:match("the checkpoint has kl.mean ([%d.]+),"))
  test.near(found, value, 0.2 * value)
  test.ok(err.message:find("with the baseline's weights kl.mean 0", 1, true), err.message)
end)

test("a predicate that the baseline does not fulfil either is no module's fault", function()
  local models = open(CASES[1])
  test.raises("fails with the baseline's weights too", bisected, models, { 3 }, "perplexity < 1")
end)
