-- Runs over mutants: pairs, results as lines, the state of a run that goes on.

local jobs = require "qspec.mutation.jobs"
local journal = require "qspec.mutation.journal"
local pairs_of = require "qspec.mutation.pairs"
local registry = require "qspec.registry"
local results = require "qspec.mutation.results"
local selection = require "qspec.mutation.selection"
local survey = require "qspec.mutation.survey"
local system = require "host.system"
local test = require "test"
local trial = require "qspec.mutation.trial"

local SPEC = system.home() .. "/specs/bloom.lua"

local function job_of_bloom()
  return jobs.of_spec(SPEC, { only = {}, skip = {} })[1]
end

local function plans_of(job, operators)
  return (survey.plan(job.subject, selection.operators(registry("operators").all(), operators)))
end

local function plan_named(plans, name)
  for _, plan in ipairs(plans) do
    if plan.name == name then return plan end
  end
end

test("pairs are of two operators, none twice, and the same for a seed", function()
  local plans = plans_of(job_of_bloom(), "M06,M11,M18")
  local chosen, again = pairs_of.plan(plans, 40, 7), pairs_of.plan(plans, 40, 7)
  test.equal(#chosen, 40)
  local seen = {}
  for i, plan in ipairs(chosen) do
    test.equal(plan.name, again[i].name)
    test.ok(plan.parts[1].operator ~= plan.parts[2].operator)
    test.ok(not seen[plan.name])
    seen[plan.name] = true
  end
  test.ok(pairs_of.plan(plans, 40, 8)[1].name ~= chosen[1].name)
  test.equal(pairs_of.plan({ plans[1] }, 5, 1), {})
end)

test("the second fault of a pair is done to what the first one left", function()
  local job = job_of_bloom()
  local plans = plans_of(job, "M06,M11")
  local both = survey.make(job.subject, pairs_of.of(plan_named(plans, "set_scale 0 all"),
    plan_named(plans, "nibble_swap all")))
  test.ok(both.touched["transformer.h.0.mlp.dense_h_to_4h.weight"])
  test.ok(both.touched["transformer.h.0.mlp.dense_h_to_4h.weight.absmax"])
  test.equal(both.genuine, job.subject)
end)

test("a pair that cancels is shown to be the genuine model", function()
  local job = job_of_bloom()
  local swap = plan_named(plans_of(job, "M11"), "nibble_swap all")
  local result = survey.try(job, trial.steps(job.declarations, "weights"), pairs_of.of(swap, swap))
  test.equal(result.status .. ": " .. result.reason,
    "equivalent: nothing that is stored changed")
end)

test("of a pair that nothing notices no more is claimed than the logits show", function()
  local job = job_of_bloom()
  local swap, tried = plan_named(plans_of(job, "M11"), "nibble_swap block"), 0
  for _, plan in ipairs(plans_of(job, "M06,M25")) do
    local result = plan.dose ~= "all" and survey.try(job, {}, pairs_of.of(plan, swap))
    if result then
      test.equal(result.status, "survived", plan.name)
      tried = tried + 1
    end
  end
  test.ok(tried > 10)
end)

test("every pair of a sample on the shipped model is noticed", function()
  local job = job_of_bloom()
  local steps, count = trial.steps(job.declarations, "generate"), 0
  for _, plan in ipairs(pairs_of.plan(plans_of(job), 60, 1)) do
    local result = survey.try(job, steps, plan)
    if result and result.status ~= "equivalent" then
      test.equal(plan.name .. " " .. result.status, plan.name .. " killed")
      count = count + 1
    end
  end
  test.ok(count >= 40)
end)

test("a result comes back from its line", function()
  local plan = { name = "m x block", operator = { name = "m" }, variant = { name = "x" },
    dose = "block" }
  local result = { operator = plan.operator, variant = "x", dose = "block", name = plan.name,
    status = "killed", trial = { killed = true, check = "memory", tier = "config", seconds = 0.5,
      finding = { module = "lm_head", key = "ratio", found = "2", wanted = ">= 3" } } }
  local line = results.line("tiny", plan.name, result)
  test.ok(line:sub(-1) == "\n" and not line:sub(1, -2):find("\n", 1, true))
  local value = results.parsed(line:sub(1, -2))
  test.equal(value.model, "tiny")
  test.equal(results.of(plan, value), result)
  test.equal(results.of(plan, results.parsed(results.line("tiny", plan.name, nil))), nil)
end)

test("a line that was cut anywhere is no result", function()
  local line = results.line("tiny", "a", { status = "survived", trial = { killed = false,
    seconds = 1 } })
  for length = 0, #line - 2 do test.equal(results.parsed(line:sub(1, length)), nil) end
  test.ok(results.parsed(line:sub(1, -2)))
end)

local OPTIONS = { only = {}, skip = {} }

local function opened(path, options)
  return journal.open(path, SPEC, { job_of_bloom() }, options or OPTIONS)
end

test("a run goes on from what was written, but for the line that a kill cut", function()
  local path = test.tmpfile(".mutants")
  local one = results.line("tiny", "a", nil)
  opened(path):add(results.parsed(one), one)
  system.append(path, '{"model":"tiny","mut')
  local state = opened(path)
  test.ok(state:find("tiny", "a") and not state:find("tiny", "b"))
  local two = results.line("tiny", "b", nil)
  state:add(results.parsed(two), two)
  test.ok(opened(path):find("tiny", "b"))
end)

test("two runs that share a state lose nothing of one another", function()
  local path = test.tmpfile(".mutants")
  local first, second = opened(path), opened(path)
  for i, state in ipairs { first, second, first } do
    local line = results.line("tiny", "m" .. i, nil)
    state:add(results.parsed(line), line)
  end
  local all = opened(path)
  for i = 1, 3 do test.ok(all:find("tiny", "m" .. i)) end
end)

test("the state of another run, of another version, and what is none are refused", function()
  local path = test.tmpfile(".mutants")
  opened(path)
  local text = system.read(path, 2 ^ 20)
  test.raises("another run", opened, path, { only = { "memory" }, skip = {} })
  test.raises("another run", opened, path, { only = {}, skip = {}, tier = "header" })
  system.write_atomic(path, (text:gsub('"qspec":"[^"]*"', '"qspec":"9.9"')))
  test.raises("the state is of qspec 9.9", opened, path)
  system.write_atomic(path, "hello\n")
  test.equal(test.raises("no state of qspec mutate", opened, path).kind, "usage")
end)
