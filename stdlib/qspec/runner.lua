-- Runs a plan. Sends events; reporters listen. The only place that catches what a check raises.

local sandbox = require "host.sandbox"
local system = require "host.system"
local family = require "qspec.family"
local omissions = require "qspec.omissions"
local outcome = require "qspec.outcome"
local tier = require "qspec.tier"
local timing = require "qspec.timing"
local Context = require "qspec.context"

local M = {}

-- A check of the user's may run this long between two calls into the engine's own work.
local LIMITS = { steps = 200e6, seconds = 60, bytes = 128 * 2 ^ 20 }

local Runner = {}
Runner.__index = Runner

function Runner:emit(name, event)
  for _, reporter in ipairs(self.reporters) do
    if reporter[name] then reporter[name](event) end
  end
end

local function run_custom(declaration, ctx)
  local objects = require "qspec.objects"
  local ok, err = sandbox.call(LIMITS, declaration.check.run, objects.context(ctx))
  if not ok then error(err, 0) end
end

--- What there is to run of a declaration, cheapest first.
---@param declaration table
---@return table[] {tier, run: fun(ctx)}
function M.parts(declaration)
  if not declaration.check.custom then return tier.parts(declaration.check) end
  local function run(ctx) run_custom(declaration, ctx) end
  return { { tier = declaration.check.needs, run = run } }
end

--- Whether a check of the job will read tensors.
---@param job qspec.Job
---@param highest integer rank of the highest tier allowed
function M.reads_weights(job, highest)
  if not job.subject or not job.subject:has_weights() then return false end
  if job.subject.quantize and highest >= tier.rank("weights") then return true end
  for _, declaration in ipairs(job.declarations) do
    for _, part in ipairs(M.parts(declaration)) do
      local rank = tier.rank(part.tier)
      if rank >= tier.rank("weights") and rank <= highest then return true end
    end
  end
  return false
end

local function run_parts(declaration, ctx, highest)
  for _, part in ipairs(M.parts(declaration)) do
    if tier.rank(part.tier) <= highest then part.run(ctx) end
  end
end

-- A string is a fault of ours, unless the spec's own code raised it.
local function as_error(declaration, err)
  if declaration.check.custom and type(err) == "string" then
    local path = declaration.where:match("^(.*):%d+$") or declaration.where
    return require("qspec.spec").located(path, err)
  end
  local kind = declaration.check.custom and "spec" or "internal"
  return outcome.at(outcome.from(err, kind), declaration.where)
end

local function with_traceback(err)
  if type(err) == "string" then return debug.traceback(err, 2) end
  return err
end

-- Why the check cannot run here at all, or nil.
local function absence(job, declaration)
  if declaration.check.needs == "config" and job.subject then return nil end
  return job.absent
end

local RUNS_THE_MODEL = { forward = true, generate = true }

-- What was left out is said beside what was found.
local function note_omissions(job, declaration, ctx)
  if not RUNS_THE_MODEL[declaration.check.needs] or not job.subject then return end
  for _, text in ipairs(omissions.of(job.subject)) do ctx:note(text) end
end

-- The first claim that was not decided is the reason; the others stand below it.
local function leave_open(event, ctx)
  local first = ctx.undecided[1]
  if not first then return end
  event.status, event.reason, event.hint = "inconclusive", first.reason, first.hint
  for i = 2, #ctx.undecided do ctx:note(ctx.undecided[i].reason) end
end

function Runner:attempt(job, declaration, event)
  local ctx = Context.new { subject = job.subject, params = declaration.params,
    where = declaration.where, on_progress = function(done, total, what)
      self:emit("progress", { model = job.name, check = declaration.name, done = done,
        total = total, what = what })
    end }
  local guard = declaration.check.custom and function(err) return err end or with_traceback
  local ok, err = xpcall(function() run_parts(declaration, ctx, self.highest) end, guard)
  if ok then note_omissions(job, declaration, ctx) end
  event.findings, event.notes, event.measured = ctx.findings, ctx.notes, ctx.measured
  event.headline = ctx.said
  if not ok and Context.is_skip(err) then
    event.status, event.reason, event.cause = "skip", ctx.skipped.reason, ctx.skipped.cause
  elseif not ok then
    local known = as_error(declaration, err)
    event.status, event.kind, event.reason = "error", known.kind, known.message
    event.hint, event.error_where = known.hint, known.where
  end
  if not event.status then leave_open(event, ctx) end
  if #ctx.findings > 0 then event.status = "fail" end
  event.status = event.status or "pass"
end

-- A failure of the running model names the modules that add the largest errors, where there is a
-- baseline. That this cannot be done takes nothing from the verdict.
local function localize(job, declaration, event)
  local evidence, subject = declaration.check.evidence, job.subject
  if event.status ~= "fail" or not (evidence and subject and subject.baseline) then return end
  local localisation = require "qspec.localisation"
  local ok, found = pcall(function()
    local tokens = evidence(subject, declaration.params, event.findings)
    return tokens and localisation.worst(subject, tokens)
  end)
  if ok and found then
    event.localized, event.next_command = found, localisation.next_command(job, declaration)
  elseif not ok then
    event.notes[#event.notes + 1] = "not localised: " .. outcome.from(found).message
  end
end

-- --no-skip and --require turn a skip into a failure.
function Runner:demand(event)
  if event.status ~= "skip" then return end
  local required = event.cause and self.options.require[event.cause]
  if self.options.no_skip or required then
    event.status = "fail"
    event.findings[#event.findings + 1] = { found = "skipped: " .. event.reason,
      wanted = required and "--require " .. event.cause or "--no-skip", where = event.where,
      hint = event.enable }
    event.reason, event.enable = nil, nil
  end
end

function Runner:check(job, declaration, index)
  local event = { model = job.name, check = declaration.name, needs = declaration.check.needs,
    where = declaration.where, index = index, total = #job.declarations, findings = {}, notes = {},
    measured = {}, wanted = declaration.params }
  self:emit("check_start", event)
  local began, span = system.clock(), timing.begin(("%s: %s"):format(job.name, declaration.name))
  local absent = absence(job, declaration)
  if absent then
    event.status, event.reason, event.cause = "skip", absent.reason, "model"
    event.enable = absent.enable
  else
    self:attempt(job, declaration, event)
    localize(job, declaration, event)
  end
  self:demand(event)
  event.seconds = system.clock() - began
  span()
  for _, finding in ipairs(event.findings) do
    finding.model, finding.check = job.name, declaration.name
    self:emit("finding", finding)
  end
  self:emit("check_end", event)
  return event
end

-- What the report says of a model before its checks; opening it may fail, and then nothing runs.
function Runner:describe(job)
  local event = { model = job.name, path = job.subject and job.subject.path or nil }
  if not job.subject or not job.subject.path then return event end
  local ok, err = xpcall(function()
    local subject = job.subject
    event.architecture = subject.architecture.name
    if subject:has_weights() then subject:open() end
    if M.reads_weights(job, self.highest) then subject:begin_upload() end
    event.method = subject.format and subject.format.name or nil
    family.check(subject, job.families)
    if subject.known_baselines then
      subject.baseline = require("qspec.baseline").infer(subject, subject.known_baselines,
        self.highest) or false
    end
    event.baseline = subject.baseline and subject.baseline.path or nil
  end, with_traceback)
  if not ok then event.refused = outcome.from(err) end
  return event
end

-- One result for the whole model when it cannot be opened.
function Runner:refuse(job, refused)
  local event = { model = job.name, check = "open", needs = "header", status = "error",
    kind = refused.kind, reason = refused.message, hint = refused.hint, error_where = refused.where,
    where = refused.where, seconds = 0, findings = {}, notes = {}, measured = {}, index = 1,
    total = 1 }
  self:emit("check_start", event)
  self:emit("check_end", event)
  return event
end

function Runner:job(job)
  local description = self:describe(job)
  self:emit("model_start", description)
  local results = {}
  if description.refused then
    results[1] = self:refuse(job, description.refused)
  else
    for i, declaration in ipairs(job.declarations) do
      results[i] = self:check(job, declaration, i)
      if self.options.fail_fast and results[i].status == "fail" then
        self.stopped = true
        break
      end
    end
  end
  if job.subject then job.subject:release() end
  local status = "pass"
  for _, result in ipairs(results) do
    status = outcome.worst(status, result.status)
    self.results[#self.results + 1] = result
  end
  self:emit("model_end", { model = job.name, status = status })
end

--- Runs jobs in order.
---@param jobs table[]
---@param reporters table[]
---@param options table {tier?, fail_fast, no_skip, require}
---@return table[] results, one a check
function M.run(jobs, reporters, options)
  local runner = setmetatable({ reporters = reporters, options = options, results = {},
    highest = tier.rank(options.tier or "generate") }, Runner)
  for _, job in ipairs(jobs) do
    if not runner.stopped and #job.declarations > 0 then runner:job(job) end
  end
  return runner.results
end

return M
