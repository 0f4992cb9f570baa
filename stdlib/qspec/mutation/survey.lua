-- Every mutant of a checkpoint that some operators make, each tried against the checks of a spec.

local advice = require "qspec.mutation.advice"
local doses = require "qspec.mutation.doses"
local equivalence = require "qspec.mutation.equivalence"
local outcome = require "qspec.outcome"
local pairs_of = require "qspec.mutation.pairs"
local system = require "host.system"
local trial = require "qspec.mutation.trial"
local Mutant = require "qspec.mutation.mutant"

local M = {}

---@class qspec.MutantResult
---@field operator table
---@field variant string
---@field dose string
---@field status "killed"|"survived"|"equivalent"|"fault"
---@field reason string|nil of an equivalent mutant
---@field trial qspec.Trial

local function variants_of(operator, genuine)
  return operator.variants and operator.variants(genuine) or { { name = "" } }
end

local function name_of(operator, variant, dose)
  local words = { operator.name }
  if variant.name ~= "" then words[2] = variant.name end
  if dose ~= "once" then words[#words + 1] = dose end
  return table.concat(words, " ")
end

--- The mutants that operators want to make, and the operators that do not fit.
---@param genuine table subject
---@param operators table[]
---@param wanted table<string, boolean>|nil doses
---@return table[] plans {operator, variant, dose, name}
---@return table[] unfit {operator, reason}
function M.plan(genuine, operators, wanted)
  local plans, unfit = {}, {}
  for _, operator in ipairs(operators) do
    local fits, reason = operator.applies(genuine)
    if not fits then unfit[#unfit + 1] = { operator = operator, reason = reason } end
    for _, variant in ipairs(fits and variants_of(operator, genuine) or {}) do
      for _, dose in ipairs(variant.doses or operator.doses) do
        if not wanted or wanted[dose] or dose == "once" then
          plans[#plans + 1] = { operator = operator, variant = variant, dose = dose,
            name = name_of(operator, variant, dose) }
        end
      end
    end
  end
  return plans, unfit
end

-- One fault; nil and the reason when this one cannot be made here.
local function make_one(genuine, plan)
  local mutant = Mutant.new(genuine, plan.name)
  local ok, made, reason = pcall(plan.operator.mutate, mutant, plan.dose, plan.variant)
  if not ok then
    local err = outcome.from(made)
    error(outcome.error(err.kind, ("operator %s, mutant '%s': %s"):format(plan.operator.name,
      plan.name, err.message), err.hint, err.where), 0)
  end
  if made == false then return nil, reason end
  return mutant
end

--- Makes one mutant; nil and the reason when this one cannot be made here.
---@return qspec.Mutant|nil
---@return string|nil reason
function M.make(genuine, plan)
  if not plan.parts then return make_one(genuine, plan) end
  local first = make_one(genuine, plan.parts[1])
  return first and pairs_of.make(first, plan)
end

local function status_of(result, plan, mutant)
  if result.fault then return "fault" end
  if result.killed then return "killed" end
  local reason = equivalence.reason(plan.operator, mutant, plan.variant)
  if reason then return "equivalent", reason end
  return "survived"
end

-- The genuine checkpoint run in another way; what differs then is no fault of its files.
local function play(job, plan)
  local began = system.clock()
  local difference, reason = plan.operator.play(job.subject, plan.dose, plan.variant)
  job.subject:release()
  return { operator = plan.operator, variant = plan.variant.name, dose = plan.dose,
    name = plan.name, status = difference and "survived" or "equivalent",
    reason = not difference and reason or nil, advice = difference,
    trial = { killed = false, seconds = system.clock() - began } }
end

--- Makes and tries one mutant.
---@param job table {subject, family?, declarations}
---@param steps table[] of trial.steps
---@param plan table
---@return qspec.MutantResult|nil nil when the mutant cannot be made here
---@return qspec.Mutant|nil
function M.try(job, steps, plan)
  if plan.operator.play then return play(job, plan) end
  local mutant = M.make(job.subject, plan)
  if not mutant then return nil end
  collectgarbage()  -- the collector does not see how large the tensors of earlier mutants are
  local result = trial.run(mutant:subject(), steps, job.family)
  local status, reason = status_of(result, plan, mutant)
  local lacking = status == "survived" and advice.line(job.declarations, mutant) or nil
  return { operator = plan.operator, variant = plan.variant.name, dose = plan.dose,
    name = plan.name, status = status, reason = reason, trial = result, advice = lacking }, mutant
end

--- Killed mutants as a share of those that are none of the genuine model; 1 when there is none.
---@param results qspec.MutantResult[]
function M.score(results)
  local killed, counted = 0, 0
  for _, result in ipairs(results) do
    if result.status ~= "equivalent" then counted = counted + 1 end
    if result.status == "killed" then killed = killed + 1 end
  end
  return counted > 0 and killed / counted or 1
end

--- The smallest dose of an operator's variant that was noticed, and of the larger ones all.
---@param results qspec.MutantResult[] of one operator
---@return string|nil dose nil when a largest dose went unnoticed
function M.detection_limit(results)
  local limit
  local by_dose = {}
  for _, result in ipairs(results) do
    if result.status ~= "equivalent" then
      local missed = result.status ~= "killed"
      by_dose[result.dose] = by_dose[result.dose] or missed
    end
  end
  for i = #doses.ORDER, 1, -1 do
    local missed = by_dose[doses.ORDER[i]]
    if missed then break end
    if missed == false then limit = doses.ORDER[i] end
  end
  return limit
end

return M
