-- qspec mutate: what would this spec have noticed?

local json = require "host.json"
local outcome = require "qspec.outcome"
local plan = require "qspec.plan"
local progress = require "qspec.mutation.progress"
local registry = require "qspec.registry"
local report = require "qspec.mutation.report"
local selection = require "qspec.mutation.selection"
local spec = require "qspec.spec"
local survey = require "qspec.mutation.survey"
local system = require "host.system"
local trial = require "qspec.mutation.trial"

-- Models that are stored as they are checked; quantizing on load leaves nothing to break.
local function stored_jobs(args)
  local jobs, loaded = {}, spec.load(args.spec)
  for _, job in ipairs(plan.make(loaded, { model = args.model, baseline = args.baseline,
    only = args.only, skip = args.skip, tier = args.tier })) do
    local subject = job.subject
    local usable = subject and subject:has_weights() and not subject.quantize
    if usable and #job.declarations > 0 then jobs[#jobs + 1] = job end
  end
  if #jobs > 0 then return jobs end
  error(outcome.error("usage", "the spec has no model whose files are on this machine",
    "name one with --model PATH", args.spec), 0)
end

-- A spec that fails on the genuine model would call every mutant noticed.
local function require_sound(job, steps, path)
  local result = trial.run(job.subject, steps, job.family)
  if not (result.killed or result.fault) then return end
  local finding, what = result.finding or {}, {}
  for _, part in ipairs { finding.module or "", finding.key or "", finding.found or "",
    result.fault or "" } do
    if part ~= "" then what[#what + 1] = part end
  end
  error(outcome.error("checkpoint", ("the spec fails before anything is broken: %s: %s"):format(
    result.check, table.concat(what, " ")),
    "mutants say something only of a spec that passes", path), 0)
end

local function require_relation(subject)
  local baseline = subject.baseline
  if not baseline or baseline.architecture == subject.architecture then return end
  error(outcome.error("usage", ("the baseline is a '%s', the model a '%s'"):format(
    baseline.architecture.name, subject.architecture.name),
    "name the checkpoint that the model was made from", baseline.path), 0)
end

local function infer_baseline(job, highest)
  local subject = job.subject
  if not subject.known_baselines then return end
  local rank = require("qspec.tier").rank(highest)
  subject.baseline = require("qspec.baseline").infer(subject, subject.known_baselines, rank)
    or false
end

local function survey_job(job, args, operators, wanted)
  local highest = args.tier or "generate"
  infer_baseline(job, highest)
  require_relation(job.subject)
  local steps = trial.steps(job.declarations, highest)
  require_sound(job, steps, job.subject.path)
  local plans, unfit = survey.plan(job.subject, operators, wanted)
  local results, line = {}, progress.open()
  for i, one in ipairs(plans) do
    line.show(i, #plans, one.name)
    local result, mutant = survey.try(job, steps, one)
    results[#results + 1] = result
    if result and args.keep then
      require("qspec.mutation.writer").write(mutant, args.keep .. "/" .. one.name:gsub("[ /]", "-"))
    end
  end
  line.clear()
  return { name = job.name, path = job.subject.path, results = results, unfit = unfit,
    score = survey.score(results) }
end

return {
  name = "mutate",
  summary = "break a checkpoint in every known way and say what a spec would have missed",
  examples = {
    "qspec mutate specs/bloom.lua",
    "qspec mutate specs/qwen2.lua --model ./model --baseline ./dense --operators M01,M06",
    "qspec mutate specs/bloom.lua --dose block,module --min-score 0.95 --json",
  },
  details = [[
Each operator ('qspec list operators') breaks the checkpoint in memory as real checkpoints were
broken; the files are not written to. The checks of the spec are tried on each mutant, headers
first, and the first that notices ends the trial. Operators on values are tried in doses, from one
block to the whole model: the smallest that is noticed is the spec's detection limit. A mutant that
nothing notices survived, unless it is shown to be the genuine model still: nothing stored has
changed, or its operator says so and the logits are the same bit for bit.]],
  options = function(parser)
    parser:argument("spec", "A spec file.")
    parser:option("--model", "Break this checkpoint, not the spec's models."):argname("PATH")
    parser:option("--baseline", "The full-precision checkpoint to compare with."):argname("PATH")
    parser:option("--operators", "Only these: names, numbers or patterns, with commas.")
      :argname("LIST")
    parser:option("--dose", "Only these doses: block, group, module, layer, all."):argname("LIST")
    parser:option("--only", "Only checks, models or tags of this name or pattern."):count("*")
      :argname("NAME")
    parser:option("--skip", "Leave out checks, models or tags of this name or pattern."):count("*")
      :argname("NAME")
    parser:option("--tier", "Run no check above this tier.")
      :choices { "header", "weights", "forward", "generate" }
    parser:option("--min-score", "Exit with 1 below this share of mutants noticed.")
      :convert(tonumber):argname("SHARE")
    parser:option("--keep", "Write every mutant into a folder of its own in this one.")
      :argname("DIR")
    parser:flag("--json", "JSON instead of a table; schema qspec.mutate/1.")
    parser:flag("-v --verbose", "Every mutant, and the operators that do not fit.")
  end,
  run = function(args)
    local operators = selection.operators(registry("operators").all(), args.operators)
    local wanted = selection.doses(args.dose)
    local surveys, worst, made = {}, 1, 0
    for i, job in ipairs(stored_jobs(args)) do
      surveys[i] = survey_job(job, args, operators, wanted)
      worst, made = math.min(worst, surveys[i].score), made + #surveys[i].results
    end
    if args.json then
      system.stdout(json.encode(report.to_json(surveys, args.spec), { indent = 2 }) .. "\n")
    else
      system.stdout(report.render(surveys, args))
    end
    if made == 0 then return outcome.EXIT_NOTHING end
    return args.min_score and worst < args.min_score and outcome.EXIT_FAIL or outcome.EXIT_PASS
  end,
}
