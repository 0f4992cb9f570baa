-- The check numerics on faults that the average of a weight hides, each at its own limit.

local plan = require "qspec.plan"
local registry = require "qspec.registry"
local spec = require "qspec.spec"
local survey = require "qspec.mutation.survey"
local system = require "host.system"
local test = require "test"
local Context = require "qspec.context"

local HOME = system.home()

local function job_of(family, model, baseline)
  return plan.make(spec.load(("%s/specs/%s.lua"):format(HOME, family)), { only = {}, skip = {},
    model = HOME .. "/" .. model, baseline = HOME .. "/" .. baseline })[1]
end

local JOBS = {
  nf4 = job_of("bloom", "examples/models/bloom-tiny-bnb-nf4", "examples/models/bloom-tiny"),
  gptq = job_of("qwen2", "tests/data/qwen2-tiny-gptq4act", "tests/data/qwen2-tiny"),
}

local function findings(job, operator, variant, dose, params)
  for _, one in ipairs((survey.plan(job.subject, { registry("operators").get(operator) }))) do
    if one.variant.name == variant and one.dose == dose then
      local check = registry("checks").get("numerics")
      local checked = require("qspec.schema").check(check.params, params or {}, "numerics")
      local ctx = Context.new { subject = survey.make(job.subject, one):subject(), where = "",
        params = checked }
      check.run(ctx)
      return ctx.findings
    end
  end
  error("there is no such mutant")
end

test("a scale that is twice too large is found in a single block of 64", function()
  local found = findings(JOBS.nf4, "scale_gain", "x 2", "block")
  test.equal(#found, 1)
  test.ok(found[1].key:find("^block %d+ sqnr_db"))
end)

test("a floor for blocks may be given, and then it is that one", function()
  test.equal(#findings(JOBS.gptq, "scale_gain", "x 1.05", "block", { block_sqnr_db = -20 }), 0)
  local found = findings(JOBS.gptq, "scale_gain", "x 1.05", "block", { block_sqnr_db = 60 })
  test.equal(#found, 21)
end)

test("scales that are all 5 % too large are found by the gain, in the noise of 4 bits", function()
  local found = findings(JOBS.gptq, "scale_gain", "x 1.05", "module")
  test.equal(#found, 1)
  test.equal(found[1].key, "gain")
end)

test("weights that were rounded twice lie under what rounding the baseline leaves", function()
  local found = findings(JOBS.nf4, "requant", "", "module", { sqnr_db = 10 })
  test.ok(#found > 0)
  for _, one in ipairs(found) do
    test.ok(one.wanted:find("rounding the baseline leaves", 1, true), one.wanted)
  end
end)

test("one channel of a norm is found beside 255 others", function()
  test.equal(#findings(JOBS.nf4, "half_smooth", "x 1.1", "block"), 1)
end)
