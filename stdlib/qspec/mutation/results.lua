-- Results of mutants as lines of JSON: what one process says to another, and to one that goes on
-- where it stopped.

local json = require "host.json"

local M = {}

local function text(value)
  return value ~= nil and tostring(value) or nil
end

local function trial_json(trial)
  local finding = trial.finding
  return { killed = trial.killed, check = trial.check, tier = trial.tier, fault = trial.fault,
    seconds = trial.seconds, finding = finding and { module = text(finding.module),
      key = text(finding.key), found = text(finding.found), wanted = text(finding.wanted) } }
end

--- One line, with its end.
---@param model string
---@param name string of the mutant
---@param result qspec.MutantResult|nil nil for one that cannot be made
function M.line(model, name, result)
  local value = { model = model, mutant = name, status = "unmade" }
  if result then
    value = { model = model, mutant = name, status = result.status, variant = result.variant,
      dose = result.dose, reason = result.reason, advice = result.advice,
      trial = trial_json(result.trial) }
  end
  return json.encode(value, { sort = true }) .. "\n"
end

---@class qspec.MutantLine
---@field model string
---@field mutant string
---@field status string
---@field trial table|nil

--- What a line says; nil for one that is none, or was cut.
---@return qspec.MutantLine|nil
function M.parsed(line)
  local ok, value = pcall(json.decode, line, "a result")
  if not ok or type(value) ~= "table" or type(value.model) ~= "string"
      or type(value.mutant) ~= "string" then
    return nil
  end
  local is_whole = value.status == "unmade" or type(value.trial) == "table"
  return is_whole and value or nil
end

--- The result of a plan from its line; nil for a mutant that could not be made.
---@param plan table
---@param value qspec.MutantLine
---@return qspec.MutantResult|nil
function M.of(plan, value)
  if value.status == "unmade" then return nil end
  return { operator = plan.operator, variant = plan.variant.name, dose = plan.dose,
    name = plan.name, status = value.status, reason = value.reason, advice = value.advice,
    trial = value.trial }
end

return M
