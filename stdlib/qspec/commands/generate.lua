-- qspec generate: the text behind prompts.

local conversation = require "qspec.conversation"
local generation = require "qspec.generation"
local json = require "host.json"
local omissions = require "qspec.omissions"
local system = require "host.system"
local device = require "qspec.device"
local Subject = require "qspec.subject"

-- JSON has no infinity: where the rules left no other token there is no margin.
local function finite(value)
  return math.abs(value) < math.huge and value or nil
end

local function row_json(result, device_name)
  local steps = {}
  for i, step in ipairs(result.steps) do
    steps[i] = { token = step.token, logit = step.logit, logprob = finite(step.logprob),
      margin = finite(step.margin), runner_up = step.runner_up }
  end
  return { schema = "qspec.generate/1", input_ids = json.array(result.input_ids),
    output_ids = json.array(result.output_ids), text = result.text, device = device_name,
    finished = result.finished, steps = json.array(steps) }
end

local function to_json(results, device_name)
  if #results == 1 then return row_json(results[1], device_name) end
  local rows = {}
  for i, result in ipairs(results) do rows[i] = row_json(result, device_name) end
  return { schema = "qspec.generations/1", device = device_name, generations = json.array(rows) }
end

-- Nil for a greedy run.
local function sampling_of(args)
  local given = { seed = args.seed, temperature = args.temperature, top_k = args.top_k,
    top_p = args.top_p, min_p = args.min_p }
  return (args.sample or next(given) ~= nil) and given or nil
end

return {
  name = "generate",
  summary = "continue prompts, greedily as transformers' generate(do_sample=False) does",
  examples = { "qspec generate ./model --prompt 'Hello my name is' --max-new-tokens 10",
    "qspec generate ./model --prompt 'One' --prompt 'Two' --json",
    "qspec generate ./model --prompt 'Once' --temperature 0.7 --top-p 0.9 --seed 1" },
  details = [[
Obeys generation_config.json: ends of text and of length, stop strings, penalties, forbidden, biased
and forced tokens; what would change the output and is not obeyed (beams, watermarks) is refused by
name. Several prompts run as one batch, the shorter ones padded on the left, which can change the
last bits of their logits. Any option of sampling draws tokens through transformers' filters in
their order; the random numbers are Philox4x32-10's, so the draw of a seed is the same everywhere
and is not that of torch.]],
  options = function(parser)
    parser:argument("path", "A model folder.")
    parser:option("--prompt", "The text to continue; may be repeated."):count("*"):argname("TEXT")
    conversation.options(parser)
    parser:option("--max-new-tokens", "Tokens to generate."):default("10"):convert(tonumber)
      :argname("N")
    parser:flag("--sample", "Draw tokens instead of taking the best one.")
    parser:option("--seed", "Of the draw; 0 unless given."):convert(tonumber):argname("N")
    parser:option("--temperature", "Divides the logits."):convert(tonumber):argname("T")
    parser:option("--top-k", "Draw from the best K tokens only; 0 is all."):convert(tonumber)
      :argname("K")
    parser:option("--top-p", "Draw from the fewest tokens with this probability."):convert(tonumber)
      :argname("P")
    parser:option("--min-p", "Least probability, as a share of the best token's.")
      :convert(tonumber):argname("P")
    parser:option("--device", "auto, cpu or cuda[:N]."):default("auto"):argname("DEVICE")
    parser:flag("--json", "JSON with ids and margins; schema qspec.generate/1, or of several "
      .. "prompts qspec.generations/1.")
  end,
  run = function(args)
    local chosen = device.choose(args.device)
    local subject = Subject.new { name = args.path, path = args.path, device = chosen.name }
    chosen = device.settle(chosen, { subject }, { subject })
    local prompts = conversation.prompts(subject, args)
    local results = generation.run_all(subject, prompts, args.max_new_tokens, sampling_of(args))
    omissions.warn(subject)
    if args.json then
      system.stdout(json.encode(to_json(results, chosen.name), { indent = 2 }) .. "\n")
    else
      for i, result in ipairs(results) do
        system.stdout(conversation.shown(subject, prompts[i], result) .. "\n")
      end
    end
    subject:release()
    return 0
  end,
}
