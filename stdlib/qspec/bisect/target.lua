-- What `qspec bisect` and `qspec sensitivity` work on: a checkpoint with its baseline, or a model
-- of a spec, and what that spec says of texts and prompts.

local outcome = require "qspec.outcome"
local plan = require "qspec.plan"
local spec = require "qspec.spec"
local system = require "host.system"
local tier = require "qspec.tier"
local Subject = require "qspec.subject"

local M = {}

---@class qspec.BisectTarget
---@field name string
---@field subject table
---@field declarations table[] the checks of the spec that run the model

local function require_baseline(subject)
  local baseline = subject.baseline
  if baseline and baseline:has_weights() then return end
  error(outcome.error("usage", "there is no baseline whose modules could take the place of the "
    .. "checkpoint's", "name the full-precision model with --baseline PATH", subject.path), 0)
end

local function of_checkpoint(args, device)
  if args.model then
    error(outcome.error("usage", "--model goes with a spec, and this is a checkpoint",
      "leave it out", args.path), 0)
  end
  local baseline = args.baseline and Subject.new { name = args.baseline, path = args.baseline }
  local subject = Subject.new { name = args.path:match("[^/]+/*$"), path = args.path,
    baseline = baseline, device = device }
  return { { name = subject.name, subject = subject, declarations = {} } }
end

local function running(declarations)
  local list = {}
  for _, declaration in ipairs(declarations) do
    if tier.rank(declaration.check.needs) >= tier.rank("forward") then
      list[#list + 1] = declaration
    end
  end
  return list
end

local function infer(subject)
  if not subject.known_baselines then return end
  subject.baseline = require("qspec.baseline").infer(subject, subject.known_baselines,
    tier.rank("forward")) or false
end

local function of_spec(args, device)
  local targets = {}
  local jobs = plan.make(spec.load(args.path), { model = args.model, baseline = args.baseline,
    only = args.only or {}, skip = {}, device = device })
  for _, job in ipairs(jobs) do
    local is_here = job.subject and job.subject:has_weights() and not job.absent
    if is_here and #job.declarations > 0 then
      infer(job.subject)
      targets[#targets + 1] = { name = job.name, subject = job.subject,
        declarations = running(job.declarations) }
    end
  end
  if #targets > 0 then return targets end
  error(outcome.error("usage", "the spec has no model whose files are on this machine",
    "name one with --model PATH", args.path), 0)
end

local function is_spec(path)
  return path:find("%.lua$") and system.kind(path) ~= "directory"
end

--- The models that the command line names, with their baselines.
---@param args table {path, model?, baseline?, only?}
---@param device string
---@return qspec.BisectTarget[]
function M.all(args, device)
  local targets = (is_spec(args.path) and of_spec or of_checkpoint)(args, device)
  for _, target in ipairs(targets) do
    target.subject:open()
    require_baseline(target.subject)
  end
  return targets
end

-- The first value of a parameter among the checks.
local function declared(target, name)
  for _, declaration in ipairs(target.declarations) do
    local value = declaration.params and declaration.params[name]
    if value then return value end
  end
end

--- The text to judge on: the command line's, else the spec's, else one that ships.
---@param target qspec.BisectTarget
---@param path string|nil
---@return string
function M.text(target, path)
  local chosen = path or declared(target, "text")
  if not chosen then return require("qspec.bisect.evidence").TEXT end
  return system.read(chosen, require("qspec.perplexity").LARGEST_TEXT)
end

--- The prompts to continue, in the same order.
---@param target qspec.BisectTarget
---@param given string[]
---@return string[]
function M.prompts(target, given)
  if #given > 0 then return given end
  for _, declaration in ipairs(target.declarations) do
    if declaration.name == "generates" and not declaration.params.chat then
      return { unpack(declaration.params) }
    end
  end
  return require("qspec.bisect.evidence").PROMPTS
end

return M
