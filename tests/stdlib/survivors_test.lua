-- The mutation score of the shipped specs: what survives is what tests/support/survivors.lua says.

local jobs = require "qspec.mutation.jobs"
local registry = require "qspec.registry"
local survey = require "qspec.mutation.survey"
local system = require "host.system"
local test = require "test"
local trial = require "qspec.mutation.trial"

local HOME = system.home() .. "/"
local LEAST_SCORE = 0.95

-- Operators that need every tensor and file to be as they are told, and no value of a weight.
local STRUCTURAL = { M01 = true, M02 = true, M03 = true, M04 = true, M05 = true, M19 = true,
  M20 = true, M21 = true, M22 = true, M25 = true }

local function results_of(model, known)
  local job = jobs.of_spec(HOME .. known.spec, { model = HOME .. model,
    baseline = HOME .. known.baseline, only = {}, skip = {} })[1]
  local steps, results = trial.steps(job.declarations, "generate"), {}
  jobs.require_sound(job, steps, "generate")
  for _, plan in ipairs((survey.plan(job.subject, registry("operators").all()))) do
    results[#results + 1] = survey.try(job, steps, plan)
  end
  return results
end

for model, known in pairs(require "survivors") do
  test("what survives on " .. model:match("[^/]+$") .. " is known, and nothing structural does",
    function()
      local results, left = results_of(model, known), {}
      for name in pairs(known.survivors) do left[name] = true end
      for _, result in ipairs(results) do
        if result.status == "survived" or result.status == "fault" then
          test.ok(left[result.name], result.name .. " survived: " .. tostring(result.trial.fault
            or result.advice))
          test.ok(not STRUCTURAL[result.operator.id], result.name)
          left[result.name] = nil
        end
      end
      test.equal(next(left), nil)
      test.ok(survey.score(results) >= LEAST_SCORE)
    end)
end
