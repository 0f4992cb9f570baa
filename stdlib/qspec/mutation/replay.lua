-- Incidents of the past, played again: each that an operator expresses is done to a small model,
-- and the default checks are asked whether they would have noticed.

local jobs = require "qspec.mutation.jobs"
local outcome = require "qspec.outcome"
local registry = require "qspec.registry"
local survey = require "qspec.mutation.survey"
local system = require "host.system"
local trial = require "qspec.mutation.trial"

local M = {}

local DEFAULT = "bloom-tiny-bnb-nf4"
local FOLDERS = { "examples/models", "tests/data" }

-- A model that ships, by name.
local function find(name)
  for _, folder in ipairs(FOLDERS) do
    local path = ("%s/%s/%s"):format(system.home(), folder, name)
    if system.kind(path) == "directory" then return path end
  end
end

-- "qwen2-tiny-gptq4act" was made from "qwen2-tiny", and specs/qwen2.lua is for it.
local function open(name)
  local path = find(name)
  local family, rest = name:match("^([^-]+)%-([^-]+)%-")
  local baseline = family and find(family .. "-" .. rest)
  if not path or not baseline then return nil end
  local job = jobs.of_spec(("%s/specs/%s.lua"):format(system.home(), family),
    { model = path, baseline = baseline, only = {}, skip = {} })[1]
  return { job = job, steps = trial.steps(job.declarations, "generate"), tried = {} }
end

local function planned(fixture, incident)
  local operator = registry("operators").get(incident.operator)
  for _, one in ipairs((survey.plan(fixture.job.subject, { operator }))) do
    if one.variant.name == (incident.variant or "") and one.dose == (incident.dose or "once") then
      return one
    end
  end
  error(outcome.error("spec", ("incident %s: operator %s has no mutant '%s' of dose '%s' on this "
    .. "model"):format(incident.id, incident.operator, incident.variant or "",
    incident.dose or "once")), 0)
end

-- Incidents of one kind share a mutant.
local function try(fixture, incident)
  local one = planned(fixture, incident)
  if fixture.tried[one.name] == nil then
    fixture.tried[one.name] = survey.try(fixture.job, fixture.steps, one) or false
  end
  return fixture.tried[one.name] or { status = "impossible" }
end

---@class qspec.ReplayedIncident
---@field id string tracker and number
---@field class string
---@field what string
---@field by string the property that should catch it
---@field status "caught"|"missed"|"equivalent"|"inexpressible"|"absent"
---@field reason string|nil why it cannot be played
---@field result qspec.MutantResult|nil

local STATUS = { killed = "caught", survived = "missed", fault = "missed",
  equivalent = "equivalent", impossible = "missed" }

local function replayed(fixtures, class, incident)
  local row = { id = incident.id, class = class.name, what = incident.what, by = incident.by,
    instead = incident.instead }
  if incident.needs then
    row.status, row.reason = "inexpressible", incident.needs
    return row
  end
  local name = incident.on or DEFAULT
  if fixtures[name] == nil then fixtures[name] = open(name) or false end
  if not fixtures[name] then
    row.status, row.reason = "absent", ("the model %s is not installed"):format(name)
    return row
  end
  row.result = try(fixtures[name], incident)
  row.status = STATUS[row.result.status]
  return row
end

--- Plays every incident of some classes.
---@param classes table[] of the registry "incidents"
---@param on_progress fun(done: integer, total: integer, what: string)
---@return qspec.ReplayedIncident[]
function M.run(classes, on_progress)
  local rows, fixtures, total = {}, {}, 0
  for _, class in ipairs(classes) do total = total + #class.incidents end
  for _, class in ipairs(classes) do
    for _, incident in ipairs(class.incidents) do
      on_progress(#rows + 1, total, incident.id)
      rows[#rows + 1] = replayed(fixtures, class, incident)
    end
  end
  return rows
end

return M
