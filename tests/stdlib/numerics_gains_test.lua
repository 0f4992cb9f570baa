-- The gains of groups and the biases, held against the baseline.

local block_gains = require "qspec.block_gains"
local registry = require "qspec.registry"
local schema = require "qspec.schema"
local system = require "host.system"
local tensor = require "host.tensor"
local test = require "test"
local Context = require "qspec.context"
local Mutant = require "qspec.mutation.mutant"
local Subject = require "qspec.subject"

local HOME = system.home() .. "/"

local function subject_of(path, baseline)
  return Subject.new { name = path, path = HOME .. path,
    baseline = Subject.new { name = baseline, path = HOME .. baseline } }
end

local function nf4()
  return subject_of("examples/models/bloom-tiny-bnb-nf4", "examples/models/bloom-tiny")
end

local function gptq()
  return subject_of("tests/data/qwen2-tiny-gptq4act", "tests/data/qwen2-tiny")
end

local function findings(subject)
  local check = registry("checks").get("numerics")
  local ctx = Context.new { subject = subject, params = schema.check(check.params, {}, "numerics"),
    where = "" }
  check.run(ctx)
  return ctx.findings
end

local function broken(subject, edit)
  local mutant = Mutant.new(subject, "test")
  edit(mutant)
  return findings(mutant:subject())
end

local BARE = { holding = { tensors = {} } }

test("the gain of a group is sum q r over sum r^2, by hand", function()
  local reference = tensor.from({ { 1, 2, 3, 4 }, { 2, -2, 1, 1 } }, "float32")
  local values = tensor.from({ { 2, 4, 3, 4 }, { 1, -1, 1, 1 } }, "float32")
  local gains = block_gains.of(BARE, values, reference, 2)
  -- Gains 2, 1, 1/2 and, of next to nothing beside the others (2 of 40 / 4), none: 1.
  test.near(gains.mean, 4.5 / 4, 1e-6)
  test.near(gains.deviation, math.sqrt((4 + 1 + 0.25 + 1) / 4 - (4.5 / 4) ^ 2), 1e-6)
  test.equal(gains.furthest, 2)
  test.equal(gains.block, 0)
end)

test("the furthest group is found in any row of a weight that is taken in pieces", function()
  local rows, columns = 5000, 1024  -- over 2^22 values
  local reference = tensor.zeros({ rows, columns }, "float32") + 1
  local last = tensor.zeros({ 1, columns }, "float32") + 3
  local values = tensor.cat({ reference:narrow(1, 1, rows - 1), last }, 1)
  local gains = block_gains.of(BARE, values, reference, 512)
  test.equal(gains.furthest, 3)
  test.equal(gains.block, (rows - 1) * 2)
end)

test("genuine weights of 4 bits raise nothing, in groups that lie in an order of their own too",
  function()
    test.equal(findings(gptq()), {})
    test.equal(findings(nf4()), {})
  end)

local SCALES = "model.layers.1.mlp.up_proj.scales"

test("half the scale of one group in hundreds is found by its gain", function()
  local list = broken(gptq(), function(mutant)
    local scales = tensor.read(mutant.genuine.stored, SCALES)
    local shape = scales:shape()
    local place = tensor.arange(0, shape[1] * shape[2] - 1):eq(100):reshape(shape)
    local wide = scales:to("float32")
    mutant:store(SCALES, place:where(wide:mul(0.5), wide):to("float16"))
  end)
  test.equal(#list, 1)
  test.equal(list[1].module, "model.layers.1.mlp.up_proj")
  test.ok(list[1].key:find("^group %d+ gain$"))
  test.near(tonumber(list[1].found), 0.5, 0.05)
end)

test("scales of another module are found, whatever names the finding", function()
  local list = broken(gptq(), function(mutant)
    local other = SCALES:gsub("up_proj", "gate_proj")
    mutant:store(SCALES, tensor.read(mutant.genuine.stored, other))
  end)
  test.equal(list[1].module, "model.layers.1.mlp.up_proj")
end)

test("a bias that was lost, turned or doubled is named; one that was cast is not", function()
  local name = "transformer.h.2.mlp.dense_h_to_4h.bias"
  local function with(change)
    return broken(nf4(), function(mutant)
      local bias = tensor.read(mutant.genuine.stored, name):to("float32")
      mutant:store(name, change(bias))
    end)
  end
  for _, factor in ipairs { 0, -1, 2, 1.01 } do
    local list = with(function(bias) return bias:mul(factor):to("float16") end)
    test.equal(#list, 1, factor)
    test.equal(list[1].module .. " " .. list[1].key,
      "transformer.h.2.mlp.dense_h_to_4h bias sqnr_db")
  end
  test.equal(with(function(bias) return bias end), {})
  test.equal(with(function(bias) return bias:to("bfloat16") end), {})
end)
