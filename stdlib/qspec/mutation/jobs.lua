-- The models of a spec that can be broken: stored as they are checked, and sound.

local outcome = require "qspec.outcome"
local plan = require "qspec.plan"
local spec = require "qspec.spec"
local trial = require "qspec.mutation.trial"

local M = {}

--- The jobs of a spec whose models are stored as they are checked; quantizing on load leaves
--- nothing to break. Raises when there is none.
---@param path string of the spec
---@param options table {model?, baseline?, only: string[], skip: string[], tier?}
---@return qspec.Job[]
function M.of_spec(path, options)
  local jobs, loaded = {}, spec.load(path)
  for _, job in ipairs(plan.make(loaded, { model = options.model, baseline = options.baseline,
    only = options.only, skip = options.skip, tier = options.tier })) do
    local subject = job.subject
    local usable = subject and subject:has_weights() and not subject.quantize
    if usable and #job.declarations > 0 then jobs[#jobs + 1] = job end
  end
  if #jobs > 0 then return jobs end
  error(outcome.error("usage", "the spec has no model whose files are on this machine",
    "name one with --model PATH", path), 0)
end

local function infer_baseline(subject, highest)
  if not subject.known_baselines then return end
  local rank = require("qspec.tier").rank(highest)
  subject.baseline = require("qspec.baseline").infer(subject, subject.known_baselines, rank)
    or false
end

local function said_of(result)
  local finding, words = result.finding or {}, {}
  for _, word in ipairs { finding.module or "", finding.key or "", finding.found or "",
    result.fault or "" } do
    if word ~= "" then words[#words + 1] = word end
  end
  return table.concat(words, " ")
end

--- Raises unless the genuine model passes: a spec that fails on it would call every mutant noticed.
---@param job qspec.Job
---@param steps table[] of trial.steps
---@param highest string tier
function M.require_sound(job, steps, highest)
  infer_baseline(job.subject, highest)
  require("qspec.baseline").require_relation(job.subject)
  local result = trial.run(job.subject, steps, job.family)
  if not (result.killed or result.fault) then return end
  error(outcome.error("checkpoint", ("the spec fails before anything is broken: %s: %s"):format(
    result.check, said_of(result)), "mutants say something only of a spec that passes",
    job.subject.path), 0)
end

return M
