-- qspec compare: the values of two checkpoints of one model.

local comparison = require "qspec.comparison"
local glob = require "qspec.glob"
local json = require "host.json"
local outcome = require "qspec.outcome"
local system = require "host.system"
local Subject = require "qspec.subject"

local NUMBERS = { "sqnr_db", "cosine", "nmse", "max_abs_error", "worst_index", "worst_block",
  "worst_block_sqnr_db", "count", "nonfinite_decoded", "nonfinite_baseline" }

-- JSON has no infinity: an absent SQNR with `equal` is one without bound.
local function entry_json(entry)
  local out = { module = entry.module, holds = entry.holds, reference_holds = entry.reference_holds,
    packed = entry.packed, skipped = entry.skipped, equal = entry.equal }
  for _, name in ipairs(NUMBERS) do
    local value = entry[name]
    if value and value == value and math.abs(value) < math.huge then out[name] = value end
  end
  return out
end

local function to_json(result, reference, candidate)
  local modules = {}
  for i, entry in ipairs(result.modules) do modules[i] = entry_json(entry) end
  return { schema = "qspec.compare/1", reference = reference.path, candidate = candidate.path,
    modules = json.array(modules), only_reference = json.array(result.only_reference),
    only_candidate = json.array(result.only_candidate) }
end

local function refuse_other_architecture(reference, candidate)
  if reference.architecture == candidate.architecture then return end
  error(outcome.error("usage", ("%s is %s, %s is %s"):format(candidate.path,
    candidate.architecture.name, reference.path, reference.architecture.name),
    "two checkpoints of one model can be compared"), 0)
end

return {
  name = "compare",
  summary = "show how far the weights of two checkpoints of one model lie apart",
  examples = { "qspec compare ./model-nf4 ./model",
    "qspec compare ./model-awq ./model-gptq --json" },
  details = [[
Decodes each weight of both, one pair at a time, and prints SQNR = 10 log10(sum r^2 / sum (r - q)^2)
in dB, cosine, NMSE, the largest error and the worst block, the worst weight first. The reference r
is the checkpoint in full precision; of two packed ones, or two dense ones, it is the first.]],
  options = function(parser)
    parser:argument("first", "A checkpoint.")
    parser:argument("second", "Another one of the same model.")
    parser:option("--only", "Modules whose name matches."):argname("PATTERN"):default("*")
    parser:flag("--json", "JSON; schema qspec.compare/1.")
    parser:flag("-v --verbose", "Every weight that differs, not the worst ones.")
  end,
  run = function(args)
    local first = Subject.new { name = args.first, path = args.first }
    local second = Subject.new { name = args.second, path = args.second }
    local reference, candidate = comparison.roles(first, second)
    refuse_other_architecture(reference, candidate)
    local result = comparison.take(reference, candidate, glob.compile(args.only))
    if args.json then
      system.stdout(json.encode(to_json(result, reference, candidate), { indent = 2 }) .. "\n")
    else
      system.stdout(require("qspec.comparison_table").render(result, reference.path, candidate.path,
        args.verbose))
    end
    return outcome.EXIT_PASS
  end,
}
