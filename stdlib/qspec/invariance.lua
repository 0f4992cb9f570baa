-- Ways to run one model on the same prompts, and what changes between them.
--
-- Tokens are those of generation itself, in batches; logits those of one run over each prompt and
-- what the model wrote behind it.

local generation = require "qspec.generation"
local same_weights = require "qspec.same_weights"

local M = {}

local function generate(subject, prompts, size, count)
  local results = {}
  for first = 1, #prompts, size do
    local part = { unpack(prompts, first, math.min(first + size - 1, #prompts)) }
    for _, result in ipairs(generation.run_all(subject, part, count)) do
      results[#results + 1] = result
    end
  end
  return results
end

--- Each prompt alone: what the other ways are held against.
---@param subject table
---@param prompts string[]
---@param count integer tokens to generate
---@return table {prompts, count, results, sequences: qspec.Sequence[], logits}
function M.alone(subject, prompts, count)
  local sequences = {}
  local results = generate(subject, prompts, 1, count)
  for i, result in ipairs(results) do
    sequences[i] = { ids = result.output_ids,
      source = subject.architecture.encoder_decoder and result.input_ids or nil }
  end
  return { prompts = prompts, count = count, results = results, sequences = sequences,
    logits = same_weights.in_batches(subject, sequences, 1) }
end

---@class qspec.Way
---@field name string
---@field difference qspec.Difference of logits, from each prompt alone
---@field wrote fun(i: integer, position: integer): integer|nil the token behind the first
---  `position` of those that the prompt alone gave

local function way(alone, name, run, wrote)
  return { name = name, difference = same_weights.difference(run, alone.logits), wrote = wrote }
end

local function tokens_of(results)
  return function(i, position) return results[i].output_ids[position + 1] end
end

--- The same prompts in batches of a size.
---@return qspec.Way
function M.in_batches(subject, alone, size)
  return way(alone, "batch of " .. size, same_weights.in_batches(subject, alone.sequences, size),
    tokens_of(generate(subject, alone.prompts, size, alone.count)))
end

--- All of them in one batch, the last one first.
---@return qspec.Way
function M.reordered(subject, alone)
  local backwards = same_weights.reversed(alone.prompts)
  local results = generate(subject, backwards, #backwards, alone.count)
  return way(alone, "prompt order", same_weights.in_other_order(subject, alone.sequences),
    tokens_of(same_weights.reversed(results)))
end

-- The best token, unless the rules of generation chose another: they are not applied to logits.
local function best_of(run, alone)
  return function(i, position)
    local before, now = alone.logits[i]:select(1, position):argmax() - 1,
      run[i]:select(1, position):argmax() - 1
    return now ~= before and now or alone.results[i].output_ids[position + 1]
  end
end

--- Token by token with a cache, against one prefill of the same tokens.
---@return qspec.Way
function M.token_by_token(subject, alone)
  local run = same_weights.in_batches(subject, alone.sequences, 1, { step = 1 })
  return way(alone, "token by token", run, best_of(run, alone))
end

---@class qspec.ChangedToken
---@field prompt string
---@field step integer counted from 1 behind the prompt
---@field found string
---@field wanted string
---@field margin number|nil logit of wanted less that of found, each prompt alone and before
---  rounding; nil when a text ends early

local function changed(subject, alone, i, position, found)
  local result, wanted = alone.results[i], alone.results[i].output_ids[position + 1]
  local change = { prompt = alone.prompts[i], step = position + 1 - #result.given_ids,
    wanted = wanted and subject.tokenizer:decode({ wanted }, false),
    found = found and subject.tokenizer:decode({ found }, false) }
  if found and wanted then
    local prefix = { unpack(result.output_ids, 1, position) }
    local logits = subject.runtime:exact_logits(prefix, { wanted, found },
      alone.sequences[i].source)
    change.margin = logits:select(1, 1):item() - logits:select(1, 2):item()
  end
  return change
end

--- The first token of each prompt that a way changes.
---@param subject table
---@param alone table
---@param one qspec.Way
---@return qspec.ChangedToken[]
function M.changes(subject, alone, one)
  local list = {}
  for i, result in ipairs(alone.results) do
    for position = #result.given_ids, #result.output_ids - 1 do
      local found = one.wrote(i, position)
      if found ~= result.output_ids[position + 1] then
        list[#list + 1] = changed(subject, alone, i, position, found)
        break
      end
    end
  end
  return list
end

--- What rounding alone can change of the logits, found without any of these ways.
---@param subject table
---@param alone table
---@return number
function M.rounding(subject, alone)
  local run = same_weights.in_batches(subject, alone.sequences, 1, { random_rounding = 1 })
  return same_weights.difference(run, alone.logits).logits
end

return M
