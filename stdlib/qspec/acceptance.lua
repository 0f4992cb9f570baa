-- Runs the `generates` of a model and sets what it says against what is accepted of it.

local accepted_outputs = require "qspec.accepted_outputs"
local generation = require "qspec.generation"

local M = {}

local function contains(list, text)
  for _, candidate in ipairs(list) do
    if candidate == text then return true end
  end
  return false
end

local function compare(job, params, prompt)
  local subject = job.subject
  local accepted = accepted_outputs.of(subject, params, prompt)
  local result = generation.run(subject, prompt, params.max_new_tokens)
  local output = { model = job.name, prompt = prompt, max_new_tokens = params.max_new_tokens,
    text = result.text, is_accepted = contains(accepted, result.text) }
  if not output.is_accepted and #accepted > 0 then
    local divergence = generation.divergence(subject, result, accepted)
    output.divergence, output.new_token = divergence, divergence.position - #result.input_ids
    output.is_tie = divergence.margin and math.abs(divergence.margin) < params.tie or false
  end
  return output
end

--- What the model of a job says to each prompt of its `generates`.
---@param job qspec.Job with a subject
---@return table[] outputs {model, prompt, max_new_tokens, text, is_accepted, divergence?,
---  new_token?, is_tie?}: divergence as generation.divergence gives it; new_token counts from the
---  prompt's end
function M.outputs(job)
  local outputs = {}
  for _, declaration in ipairs(M.declarations(job)) do
    for _, prompt in ipairs(declaration.params) do
      outputs[#outputs + 1] = compare(job, declaration.params, prompt)
    end
  end
  return outputs
end

--- The `generates` of a job.
---@param job qspec.Job
---@return table[]
function M.declarations(job)
  local list = {}
  for _, declaration in ipairs(job.declarations) do
    if declaration.name == "generates" then list[#list + 1] = declaration end
  end
  return list
end

return M
