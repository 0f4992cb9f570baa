-- qspec generate: greedy text of one prompt.

local conversation = require "qspec.conversation"
local generation = require "qspec.generation"
local json = require "host.json"
local system = require "host.system"
local device = require "qspec.device"
local Subject = require "qspec.subject"

local function to_json(result, device_name)
  local steps = {}
  for i, step in ipairs(result.steps) do
    steps[i] = { token = step.token, logit = step.logit, margin = step.margin,
      runner_up = step.runner_up }
  end
  return { schema = "qspec.generate/1", input_ids = json.array(result.input_ids),
    output_ids = json.array(result.output_ids), text = result.text, device = device_name,
    finished = result.finished, steps = json.array(steps) }
end

return {
  name = "generate",
  summary = "generate greedily from a prompt, as transformers' generate(do_sample=False) does",
  examples = { "qspec generate ./model --prompt 'Hello my name is' --max-new-tokens 10" },
  options = function(parser)
    parser:argument("path", "A model folder.")
    parser:option("--prompt", "The text to continue."):argname("TEXT")
    conversation.options(parser)
    parser:option("--max-new-tokens", "Tokens to generate."):default("10"):convert(tonumber)
      :argname("N")
    parser:option("--device", "auto, cpu or cuda[:N]."):default("auto"):argname("DEVICE")
    parser:flag("--json", "JSON with ids and margins; schema qspec.generate/1.")
  end,
  run = function(args)
    local chosen = device.choose(args.device)
    local subject = Subject.new { name = args.path, path = args.path, device = chosen.name }
    local prompt = conversation.prompt(subject, args)
    local result = generation.run(subject, prompt, args.max_new_tokens)
    if args.json then
      system.stdout(json.encode(to_json(result, chosen.name), { indent = 2 }) .. "\n")
    else
      system.stdout(conversation.shown(subject, prompt, result) .. "\n")
    end
    subject:release()
    return 0
  end,
}
