-- qspec mutate: what would this spec have noticed?

local campaign = require "qspec.mutation.campaign"
local json = require "host.json"
local outcome = require "qspec.outcome"
local report = require "qspec.mutation.report"
local system = require "host.system"

local MOST_JOBS = 256

-- A whole number of 1 to `most`; lua-argparse says what is wrong of nil and a text.
local function count_to(most)
  return function(text)
    local number = tonumber(text)
    local is_count = number and number % 1 == 0 and number >= 1 and number <= most
    return is_count and number or nil, ("'%s' is no whole number of 1 to %d"):format(text, most)
  end
end

-- "2/8" as { 2, 8 }.
local function slice(text)
  local part, parts = text:match("^(%d+)/(%d+)$")
  part, parts = tonumber(part), tonumber(parts)
  if not part or part < 1 or part > parts then
    return nil, ("'%s' is no slice; 2/8 is the second of eight"):format(text)
  end
  return { part, parts }
end

return {
  name = "mutate",
  summary = "break a checkpoint in every known way and say what a spec would have missed",
  examples = {
    "qspec mutate specs/bloom.lua",
    "qspec mutate specs/qwen2.lua --model ./model --baseline ./dense --operators M01,M06",
    "qspec mutate specs/bloom.lua --dose block,module --min-score 0.95 --json",
    "qspec mutate specs/bloom.lua --jobs 4 --resume bloom.mutants",
    "qspec mutate specs/bloom.lua --pairs 200 --seed 7",
  },
  details = [[
Each operator ('qspec list operators') breaks the checkpoint in memory as real checkpoints were
broken; the files are not written to. The checks of the spec are tried on each mutant, headers
first, and the first that notices ends the trial. Operators on values are tried in doses, from one
block to the whole model: the smallest that is noticed is the spec's detection limit. A mutant that
nothing notices survived, unless it is shown to be the genuine model still: nothing stored has
changed, or its operator says so and the logits are the same bit for bit. --pairs breaks a model by
two operators at once, in a sample of all pairs. --jobs shares the mutants among processes; with
--resume a run that was stopped goes on where it was, and two runs may share the file.]],
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
    parser:option("--jobs", "Processes that share the mutants."):convert(count_to(MOST_JOBS))
      :default("1"):argname("N")
    parser:option("--resume", "Keep the state of the run here, and go on from what is there.")
      :argname("FILE")
    parser:option("--pairs", "In place of single faults pairs of them, at most so many.")
      :convert(count_to(2 ^ 20)):argname("N")
    parser:option("--seed", "Which pairs."):convert(count_to(2 ^ 31)):default("1"):argname("N")
    parser:option("--slice", "Only every Nth mutant from the Kth on; a line of JSON for each.")
      :convert(slice):argname("K/N")
    parser:flag("--json", "JSON instead of a table; schema qspec.mutate/1.")
    parser:flag("-v --verbose", "Every mutant, and the operators that do not fit.")
  end,
  run = function(args)
    local run = campaign.new(args)
    if args.slice then
      run:run_slice(args.slice[1], args.slice[2])
      return outcome.EXIT_PASS
    end
    local surveys, worst, made = run:run(), 1, 0
    for _, one in ipairs(surveys) do
      worst, made = math.min(worst, one.score), made + #one.results
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
