-- qspec bisect: which modules are to blame?

local device = require "qspec.device"
local evidence = require "qspec.bisect.evidence"
local json = require "host.json"
local judge = require "qspec.bisect.judge"
local outcome = require "qspec.outcome"
local predicate = require "qspec.bisect.predicate"
local progress = require "qspec.mutation.progress"
local report = require "qspec.bisect.report"
local run = require "qspec.bisect.run"
local system = require "host.system"
local target = require "qspec.bisect.target"

local DEFAULT, OF_ENCODER_DECODER = "kl.mean < 0.02", "tokens_equal"

-- What decides of a target: --predicate; without one the checks of its spec that run the model.
local function judges(opened, chosen, args, wanted, line)
  local function on_progress(count) line.show(count, count, "models compared") end
  local list = {}
  if not wanted then
    for _, declaration in ipairs(chosen.declarations) do
      list[#list + 1] = judge.by_check(opened, declaration, on_progress)
    end
  end
  if #list > 0 then return list end
  wanted = wanted or predicate.parse(chosen.subject.architecture.encoder_decoder
    and OF_ENCODER_DECODER or DEFAULT)
  return { judge.by_predicate(opened, wanted, {
    windows = wanted:needs("text") and evidence.windows(chosen.subject,
      target.text(chosen, args.text), args.tokens) or nil,
    prompts = target.prompts(chosen, args.prompt), max_new_tokens = args.max_new_tokens,
  }, on_progress) }
end

-- The first that fails of the whole checkpoint; the first of all when none does.
local function failing(list)
  for _, one in ipairs(list) do
    if one:fails_of_all() then return one end
  end
  return list[1]
end

local function bisect_target(chosen, args, wanted, line)
  local opened = run.open(chosen.subject, args.modules)
  local judging = failing(judges(opened, chosen, args, wanted, line))
  local function windows()
    return evidence.windows(chosen.subject, target.text(chosen, args.text), args.tokens)
  end
  return run.bisect(judging, { windows = windows, seed = args.seed })
end

-- Of several models in a spec the first that has something to be found.
local function bisect_first(targets, args, wanted, line)
  for i, chosen in ipairs(targets) do
    local ok, result = pcall(bisect_target, chosen, args, wanted, line)
    if ok then return result, chosen end
    if i == #targets or outcome.from(result).kind ~= "usage" then error(result, 0) end
    chosen.subject:release()
  end
end

return {
  name = "bisect",
  summary = "name the modules that break a model, and what to write into the exclusion list",
  examples = {
    "qspec bisect ./model-nf4 --baseline ./model --predicate 'kl.mean < 0.02'",
    "qspec bisect specs/bloom.lua --model ./model-nf4 --baseline ./model",
    "qspec bisect ./model-q4.gguf --baseline ./model --predicate 'tokens_equal' "
      .. "--prompt 'Hello my name is'",
  },
  details = [[
Every module that differs is taken from the checkpoint or from the baseline, and the model that
comes of it is judged. A binary search finds the smallest set that breaks the predicate; it is set
aside, and the search goes on until what is left holds. Without --predicate a spec's first check
that fails must pass; without such a check the predicate is kl.mean < 0.02, or tokens_equal of an
encoder-decoder.

A predicate joins conditions by 'and': a measure with < <= > >= and a number, or a fact, which 'not'
turns round. NaN fulfils none. Measures of a text against the baseline, in nats where they are
divergences: kl.mean, kl.median, kl.p90, kl.p99, kl.p999, kl.max, same_top, perplexity_ratio; and of
the text alone: perplexity. Facts of prompts: tokens_equal, first_token_changed.

Both ends must differ: the predicate fails of the checkpoint, and holds of the baseline's weights
in the checkpoint's program. A quantizer that folds factors into neighbours (AWQ) leaves no module
that could be exchanged alone: there the unit is a layer.

In the table, `alone` is what the baseline comes to with this one module of the checkpoint's, and
`added` the error of the module's output, given the baseline's input, as SQNR in dB.]],
  options = function(parser)
    parser:argument("path", "A model folder or file, or a spec.")
    parser:option("--model", "Take this checkpoint, not the spec's models."):argname("PATH")
    parser:option("--baseline", "The full-precision model that it was made from."):argname("PATH")
    parser:option("--predicate", "What must hold of the model."):argname("TEXT")
    parser:option("--modules", "Only modules of this name or pattern may be exchanged.")
      :argname("PATTERN")
    parser:option("--only", "Of a spec only models or checks of this name or pattern."):count("*")
      :argname("NAME")
    parser:option("--text", "A UTF-8 text file to judge on; the spec's, or one that ships, unless "
      .. "given."):argname("FILE")
    parser:option("--tokens", "At most this many tokens of it.")
      :default(tostring(evidence.MOST)):convert(tonumber):argname("N")
    parser:option("--prompt", "A prompt to continue, for facts of prompts."):count("*")
      :argname("TEXT")
    parser:option("--max-new-tokens", "Tokens to generate for each prompt."):default("10")
      :convert(tonumber):argname("N")
    parser:option("--seed", "Try modules in an order of this number, not in that of the model.")
      :convert(tonumber):argname("N")
    parser:option("--device", "auto, cpu or cuda[:N]."):default("auto"):argname("DEVICE")
    parser:flag("--json", "JSON; schema qspec.bisect/1.")
  end,
  run = function(args)
    local wanted = args.predicate and predicate.parse(args.predicate)
    local targets = target.all(args, device.choose(args.device).name)
    local line = progress.open()
    local result, chosen = bisect_first(targets, args, wanted, line)
    line.clear()
    if args.json then
      system.stdout(json.encode(report.to_json(result, chosen.name), { indent = 2, sort = true })
        .. "\n")
    else
      system.stdout(report.render(result, chosen.name))
    end
    return outcome.EXIT_PASS
  end,
}
