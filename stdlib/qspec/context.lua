-- What a running check sees and says. One context a check; the runner reads it when the check ends.

local outcome = require "qspec.outcome"

local Context = {}
Context.__index = Context

-- Raised by ctx:skip to leave the check.
local SKIP = {}

---@class qspec.Context
---@field subject table the model under test (built-in checks only)
---@field params table the check's parameters, defaults filled in
---@field findings table[]
---@field notes string[]
---@field undecided table[] {reason, hint}
---@field measured table

function Context.new(o)
  return setmetatable({ subject = o.subject, params = o.params, where = o.where, tier = o.tier,
    on_progress = o.on_progress, findings = {}, notes = {}, undecided = {}, measured = {},
    wanted = {} }, Context)
end

local OPERATORS = {
  ["=="] = function(a, b) return a == b end,
  ["~="] = function(a, b) return a ~= b end,
  ["<"] = function(a, b) return a < b end,
  ["<="] = function(a, b) return a <= b end,
  [">"] = function(a, b) return a > b end,
  [">="] = function(a, b) return a >= b end,
}

--- One fact that contradicts the spec.
---@param finding table {module?, key?, found, wanted, hint?}
function Context:finding(finding)
  finding.where = finding.where or self.where
  self.findings[#self.findings + 1] = finding
end

--- A finding unless `found <operator> wanted`; NaN is never right.
---@param what string what was measured
---@param module string|nil module concerned
---@return boolean held
function Context:expect(what, found, operator, wanted, module)
  local holds = OPERATORS[operator]
  if not holds then
    error(outcome.error("spec", ("'%s' is not a comparison; use == ~= < <= > >="):format(
      tostring(operator)), nil, self.where), 0)
  end
  self:measure(what, found)
  if found == found and holds(found, wanted) then return true end
  self:finding { module = module, key = what, found = tostring(found),
    wanted = operator .. " " .. tostring(wanted) }
  return false
end

--- A number or text that the report shows beside the verdict.
function Context:measure(name, value)
  self.measured[name] = value
end

--- The measured values in one short phrase, for a person.
function Context:headline(text)
  self.said = text
end

--- Text for the reader that is not a finding.
function Context:note(text)
  self.notes[#self.notes + 1] = text
end

--- A claim that what was measured neither supports nor contradicts. Unless there is a finding, the
--- check is inconclusive.
---@param reason string what was found and wanted
---@param hint string|nil what would decide it
function Context:leave_open(reason, hint)
  self.undecided[#self.undecided + 1] = { reason = reason, hint = hint }
end

--- Leaves the check: it cannot say anything here, for this reason.
---@param reason string
---@param cause string|nil "baseline", "gpu", "model": what --require can demand
function Context:skip(reason, cause)
  self.skipped = { reason = reason, cause = cause }
  error(SKIP, 0)
end

--- The baseline, whose weights are there; leaves the check when there is none.
---@return table subject
function Context:baseline_subject()
  local baseline = self.subject.baseline
  if baseline and baseline:has_weights() then return baseline end
  self:skip("there is no baseline to compare with; give one with --baseline PATH", "baseline")
end

function Context:progress(done, total, what)
  if self.on_progress then self.on_progress(done, total, what) end
end

--- Whether `err`, caught by pcall, is the skip of this context.
function Context.is_skip(err)
  return err == SKIP
end

--- Reports the census facts of the given kinds as findings.
---@param kinds table<string, boolean>
---@param matches (fun(module: string): boolean)|nil only modules that it accepts
function Context:report_facts(kinds, matches)
  for _, fact in ipairs(self.subject.census.facts) do
    if kinds[fact.kind] and (not matches or (fact.module and matches(fact.module))) then
      self:finding { module = fact.module, key = fact.key, found = fact.found, wanted = fact.wanted,
        hint = fact.hint }
    end
  end
end

return Context
