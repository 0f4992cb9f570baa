-- The noise floor of a model, and the ways of running it that must not matter.

local Context = require "qspec.context"
local invariant = require("qspec.registry")("checks").get("invariant")
local noise_floor = require "qspec.noise_floor"
local same_weights = require "qspec.same_weights"
local schema = require "qspec.schema"
local Subject = require "qspec.subject"
local system = require "host.system"
local test = require "test"
local tolerance = require "qspec.tolerance"

local MODELS = system.home() .. "/examples/models/"
local PROMPTS = { "The capital of France is", "Two plus three is" }

local function open(name)
  return Subject.new { name = name, path = MODELS .. name }
end

-- A model that does something else in batches: `change(logits, rows)` of each run of several.
local function with_faulty_batches(name, change)
  local subject, runtime = open(name), open(name).runtime
  local fake = {}
  function fake.forward(_, ids, options, source)
    local logits = runtime:forward(ids, options, source)
    return type(ids[1]) == "table" and #ids > 1 and change(logits) or logits
  end
  function fake.generate(_, ...) return runtime:generate(...) end
  function fake.exact_logits(_, ...) return runtime:exact_logits(...) end
  function fake.release() end
  subject.runtime = fake
  return subject
end

local function run(subject, values)
  local given = { unpack(PROMPTS) }
  for name, value in pairs(values) do given[name] = value end
  local ctx = Context.new { subject = subject, params = schema.check(invariant.params, given,
    "invariant") }
  invariant.run(ctx)
  return ctx
end

test("a model is the same alone, in batches, in another order and token by token", function()
  for _, name in ipairs { "bloom-tiny", "bloom-tiny-bnb-nf4" } do
    local ctx = run(open(name), { batch = { 1, 2 } })
    test.equal(ctx.findings, {})
    test.equal(ctx.measured.batch_of_1, 0)
    test.ok(ctx.measured.token_by_token <= ctx.measured.rounding)
  end
end)

test("a batch that moves a logit is found, whatever the noise of batches is", function()
  local subject = with_faulty_batches("bloom-tiny", function(logits) return logits:mul(1.05) end)
  local ctx = run(subject, { batch = { 2 }, order = false, prefill_steps = false })
  test.equal(#ctx.findings, 1)
  test.equal(ctx.findings[1].key, "batch of 2")
end)

test("a token that another way changes is a finding, unless its margin is a tie", function()
  local subject = open("bloom-tiny")
  local generate, calls = subject.runtime.generate, 0
  local real = subject.runtime
  subject.runtime = { generate = function(_, ids, options)
    local found = generate(real, ids, options)
    calls = calls + 1
    if calls > #PROMPTS then  -- not when each was alone
      local first = found[1]
      first.ids[#first.ids] = first.steps[#first.steps].runner_up
    end
    return found
  end, forward = function(_, ...) return real:forward(...) end,
    exact_logits = function(_, ...) return real:exact_logits(...) end }
  local values = { batch = { 2 }, order = false, prefill_steps = false, max_new_tokens = 2 }
  local ctx = run(subject, values)
  test.equal(#ctx.findings, 1)
  test.equal(ctx.findings[1].key, PROMPTS[1])
  test.ok(ctx.findings[1].hint:find("^change, margin %d"), ctx.findings[1].hint)
  calls, values.tolerance = 0, 1000
  local lenient = run(subject, values)
  test.equal(lenient.findings, {})
  test.ok(lenient.notes[1]:find("tie at token 2", 1, true), lenient.notes[1])
end)

test("prompts of the spec are filled up to the largest batch", function()
  local ctx = run(open("bloom-tiny"), { batch = { 4 }, order = false, prefill_steps = false,
    max_new_tokens = 1 })
  test.ok(ctx.said:find("^4 prompts"), ctx.said)
end)

test("a floor is measured once, and holds what each way moves", function()
  local subject = open("bloom-tiny")
  local floor = subject.noise_floor
  test.ok(floor == subject.noise_floor)
  test.equal(floor.device, "cpu")
  test.equal(#floor.sources, 6)
  for _, source in ipairs(floor.sources) do
    test.ok(source.is_noise, source.name)
    test.ok(source.logits <= floor.logits and source.kl <= floor.kl)
  end
  test.ok(floor.logits > 0 and floor.logits < 0.1, floor.logits)
end)

test("a fault of batches is no noise, and no part of the floor", function()
  local subject = with_faulty_batches("bloom-tiny", function(logits) return logits:mul(1.05) end)
  local floor = noise_floor.measure(subject)
  test.ok(floor.logits < 0.1, floor.logits)
  test.ok(noise_floor.describe(floor, "logits"):find("batch of 2 [%d.]+ %(no noise%)"))
end)

test("an automatic tolerance is k times the floor, and says so once", function()
  local subject = open("bloom-tiny")
  local ctx = Context.new { subject = subject, params = { tolerance = "auto", k = 3 } }
  test.equal(tolerance.of(ctx, "logits"), 3 * subject.noise_floor.logits)
  tolerance.of(ctx, "logits")
  test.equal(#ctx.notes, 1)
  test.ok(ctx.notes[1]:find("3 times the noise floor", 1, true))
end)

test("a tolerance is a number or auto", function()
  local declared = tolerance.params_with {}
  for _, value in ipairs { "automatic", -1, true } do
    test.raises("tolerance", schema.check, declared, { tolerance = value }, "check")
  end
  test.equal(tolerance.of_params({}, { tolerance = 0.5 }, "kl"), 0.5)
  test.equal(tolerance.of_params({}, {}, "kl"), 0)
end)

test("the difference of two runs is that of the definition, and has its place", function()
  local tensor = require "host.tensor"
  local p = tensor.from({ { 1, 2, 3 }, { 0, 0, 0 } }, "float64")
  local q = tensor.from({ { 1, 2, 3 }, { 0, 2, 0 } }, "float64")
  local found = same_weights.difference({ q }, { p })
  test.equal(found.logits, 2)
  test.equal(found.at, { sequence = 1, position = 2, token = 1 })
  local total = 2 + math.exp(2)
  local kl = (2 * math.log(total / 3) + math.log(total / 3 / math.exp(2))) / 3
  test.near(found.kl, kl / 2, 1e-12)
end)

test("on a GPU the floor is also what the CPU makes of the same weights", function()
  local subject, runtime = open("bloom-tiny"), open("bloom-tiny").runtime
  subject.device = "cuda:0"
  subject.runtime = { forward = function(_, ids, options)
    return runtime:forward(ids, options):to("float32"):add(0.0625)
  end }
  local floor = noise_floor.measure(subject)
  local last = floor.sources[#floor.sources]
  test.equal({ last.name, last.logits, last.is_noise }, { "on the CPU", 0.0625, true })
  test.equal({ floor.device, floor.logits }, { "cuda:0", 0.0625 })
end)
