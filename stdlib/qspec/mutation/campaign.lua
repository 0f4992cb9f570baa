-- One `qspec mutate`: every mutant of every model of a spec, tried here or shared by workers, from
-- the beginning or from where a run was stopped.

local jobs_of = require "qspec.mutation.jobs"
local journal_of = require "qspec.mutation.journal"
local outcome = require "qspec.outcome"
local pairs_of = require "qspec.mutation.pairs"
local progress = require "qspec.mutation.progress"
local registry = require "qspec.registry"
local results = require "qspec.mutation.results"
local selection = require "qspec.mutation.selection"
local survey = require "qspec.mutation.survey"
local system = require "host.system"
local tier = require "qspec.tier"
local trial = require "qspec.mutation.trial"
local workers = require "qspec.mutation.workers"

local M = {}

---@class qspec.Campaign
---@field args table options of the command
---@field surveys table[] {job, steps, plans, unfit} one a model
---@field journal qspec.Journal
local Campaign = {}
Campaign.__index = Campaign

-- Operators that run the model are left out where no check may.
local function fitting(operators, highest)
  local list, runs = {}, tier.rank(highest) >= tier.rank("forward")
  for _, operator in ipairs(operators) do
    if runs or not operator.play then list[#list + 1] = operator end
  end
  return list
end

local function planned(job, args, operators, wanted)
  local highest = args.tier or "generate"
  local steps = trial.steps(job.declarations, highest)
  jobs_of.require_sound(job, steps, highest)
  local plans, unfit = survey.plan(job.subject, fitting(operators, highest), wanted)
  if args.pairs then plans = pairs_of.plan(plans, args.pairs, args.seed) end
  return { job = job, steps = steps, plans = plans, unfit = unfit }
end

--- Plans a run; raises for a spec that fails before anything is broken.
---@param args table options of the command
function M.new(args)
  local operators = selection.operators(registry("operators").all(), args.operators)
  local wanted = selection.doses(args.dose)
  local jobs, surveys = jobs_of.of_spec(args.spec, args), {}
  for i, job in ipairs(jobs) do surveys[i] = planned(job, args, operators, wanted) end
  local journal = args.resume and journal_of.open(args.resume, args.spec, jobs, args)
    or journal_of.none()
  return setmetatable({ args = args, surveys = surveys, journal = journal }, Campaign)
end

function Campaign:keep(plan, mutant)
  if not (self.args.keep and mutant) then return end
  require("qspec.mutation.writer").write(mutant, self.args.keep .. "/"
    .. plan.name:gsub("[ /]", "-"))
end

-- Calls `f(survey, plan, number)` for every mutant that is not known yet, and gives their count.
function Campaign:each_open(f)
  local number, open = 0, 0
  for _, one in ipairs(self.surveys) do
    for _, plan in ipairs(one.plans) do
      number = number + 1
      if not self.journal:find(one.job.name, plan.name) then
        open = open + 1
        if f then f(one, plan, number) end
      end
    end
  end
  return open
end

-- Makes and tries one mutant; the line that says how it went.
function Campaign:try(one, plan)
  local result, mutant = survey.try(one.job, one.steps, plan)
  self:keep(plan, mutant)
  return results.line(one.job.name, plan.name, result)
end

--- Tries the `part`th of every `parts` mutants and writes a line for each.
function Campaign:run_slice(part, parts)
  self:each_open(function(one, plan, number)
    if number % parts == part % parts then system.stdout(self:try(one, plan)) end
  end)
end

function Campaign:try_all()
  local open, tried, line = self:each_open(), 0, progress.open()
  if (self.args.jobs or 1) > 1 then
    workers.run(self.args, math.min(self.args.jobs, math.max(1, open)), function(value, text)
      tried = tried + 1
      line.show(tried, open, value.mutant)
      self.journal:add(value, text)
    end)
  else
    self:each_open(function(one, plan)
      tried = tried + 1
      line.show(tried, open, plan.name)
      local text = self:try(one, plan)
      self.journal:add(results.parsed(text), text)
    end)
  end
  line.clear()
end

local function collected(one, journal)
  local list = {}
  for _, plan in ipairs(one.plans) do
    local value = journal:find(one.job.name, plan.name)
    if not value then
      error(outcome.error("internal", ("mutant '%s' was not tried"):format(plan.name)), 0)
    end
    list[#list + 1] = results.of(plan, value)
  end
  return list
end

--- Tries every mutant that is not known yet.
---@return table[] surveys {name, path, results, unfit, score}
function Campaign:run()
  self:try_all()
  local surveys = {}
  for i, one in ipairs(self.surveys) do
    local list = collected(one, self.journal)
    surveys[i] = { name = one.job.name, path = one.job.subject.path, results = list,
      unfit = one.unfit, score = survey.score(list) }
  end
  return surveys
end

return M
