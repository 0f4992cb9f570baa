-- Prompt to text with a subject: tokenize, generate as its generation_config says, decode.

local json = require "host.json"
local outcome = require "qspec.outcome"

local M = {}

local function without_nulls(raw)
  local clean = {}
  for key, value in pairs(raw) do
    if value ~= json.null then clean[key] = value end
  end
  return clean
end

local MOST_TOKENS = 65536

local function check_count(tokens)
  if type(tokens) == "number" and tokens % 1 == 0 and tokens >= 0 and tokens <= MOST_TOKENS then
    return
  end
  error(outcome.error("usage", ("max_new_tokens is %s, wanted a whole number of 0 to %d"):format(
    tostring(tokens), MOST_TOKENS)), 0)
end

-- A prompt's tokens: of a text those that the tokenizer adds too; a chat template has written its
-- own.
local function tokens_of(subject, prompt)
  if type(prompt) == "string" then return subject.tokenizer:encode(prompt, true) end
  return subject.tokenizer:encode(prompt.text, false)
end

--- Generates greedily from one prompt.
---@param subject table
---@param prompt string|{ text: string } a table for a text that has its special tokens already
---@param max_new_tokens integer
---@return table {input_ids, output_ids, text, steps: {token, logit, margin, runner_up}[]}
function M.run(subject, prompt, max_new_tokens)
  check_count(max_new_tokens)
  local input_ids = tokens_of(subject, prompt)
  if #input_ids == 0 then
    error(outcome.error("usage", "the prompt has no tokens", "give a text to continue"), 0)
  end
  local options = without_nulls(subject.generation_config)
  options.max_new_tokens = max_new_tokens
  local ok, generated = pcall(subject.runtime.generate, subject.runtime, input_ids, options)
  if not ok then
    error(outcome.at(generated, subject:file("generation_config.json") or subject.name), 0)
  end
  return { input_ids = input_ids, output_ids = generated.ids, steps = generated.steps,
    finished = generated.finished, text = subject.tokenizer:decode(generated.ids, true) }
end

local function common_prefix(a, b)
  local length = 0
  while length < #a and length < #b and a[length + 1] == b[length + 1] do length = length + 1 end
  return length
end

--- Where a generation leaves the accepted text that it follows longest.
---@param subject table
---@param result table from M.run
---@param accepted string[]
---@return table {accepted, position, found, wanted, margin} position is 1-based in output_ids;
---  found and wanted are tokens as text; margin is the logit of found minus that of wanted, nil
---  when one text is a prefix of the other
function M.divergence(subject, result, accepted)
  local best = { length = -1 }
  for _, text in ipairs(accepted) do
    local ids = subject.tokenizer:encode(text, true)
    local length = common_prefix(ids, result.output_ids)
    if length > best.length then best = { length = length, ids = ids, text = text } end
  end
  local position = best.length + 1
  local found, wanted = result.output_ids[position], best.ids[position]
  local divergence = { accepted = best.text, position = position,
    found = found and subject.tokenizer:decode({ found }, false),
    wanted = wanted and subject.tokenizer:decode({ wanted }, false) }
  if found and wanted and position > #result.input_ids then
    local prefix = {}
    for i = 1, best.length do prefix[i] = result.output_ids[i] end
    local logits = subject.runtime:forward(prefix, { last = true }):flatten():to("float32")
    divergence.margin = logits:select(1, found + 1):item() - logits:select(1, wanted + 1):item()
  end
  return divergence
end

return M
