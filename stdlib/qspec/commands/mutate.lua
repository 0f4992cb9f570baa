-- qspec mutate: what would this spec have noticed?

local jobs = require "qspec.mutation.jobs"
local json = require "host.json"
local outcome = require "qspec.outcome"
local progress = require "qspec.mutation.progress"
local registry = require "qspec.registry"
local report = require "qspec.mutation.report"
local selection = require "qspec.mutation.selection"
local survey = require "qspec.mutation.survey"
local system = require "host.system"
local trial = require "qspec.mutation.trial"

local function survey_job(job, args, operators, wanted)
  local highest = args.tier or "generate"
  local steps = trial.steps(job.declarations, highest)
  jobs.require_sound(job, steps, highest)
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
    for i, job in ipairs(jobs.of_spec(args.spec, args)) do
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
