-- What a checkpoint says, token by token, with the margins: how near each choice was to another.

local generation = require "qspec.generation"
local json = require "host.json"

local M = {}

--- The prompt of a checkpoint that no spec gives one.
M.PROMPTS = { "Hello my name is", "The capital of France is" }
M.TOKENS = 16

local function output_of(subject, one)
  local result = generation.run(subject, one.prompt, one.max_new_tokens)
  local tokens, margins = {}, {}
  for i, step in ipairs(result.steps) do tokens[i], margins[i] = step.token, step.margin end
  return { prompt = one.prompt, max_new_tokens = one.max_new_tokens, text = result.text,
    tokens = json.array(tokens), margins = json.array(margins), device = subject.device }
end

--- Generates greedily after each prompt.
---@param subject table
---@param wanted table[] {prompt, max_new_tokens}
---@return table[] outputs {prompt, max_new_tokens, text, tokens, margins, device}
function M.take(subject, wanted)
  local outputs = {}
  for i, one in ipairs(wanted) do outputs[i] = output_of(subject, one) end
  subject:release()
  return json.array(outputs)
end

--- What to generate: what the `generates` of a spec ask, else the prompts of this file.
---@param declarations table[]|nil
---@return table[] {prompt, max_new_tokens}
function M.wanted(declarations)
  local list = {}
  for _, declaration in ipairs(declarations or {}) do
    for _, prompt in ipairs(declaration.name == "generates" and declaration.params or {}) do
      list[#list + 1] = { prompt = prompt, max_new_tokens = declaration.params.max_new_tokens }
    end
  end
  for _, prompt in ipairs(#list == 0 and M.PROMPTS or {}) do
    list[#list + 1] = { prompt = prompt, max_new_tokens = M.TOKENS }
  end
  return list
end

return M
