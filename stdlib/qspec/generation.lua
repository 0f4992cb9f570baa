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
local MOST_AT_ONCE = 32  -- prompts in a batch: each keeps its keys and values

local function check_count(tokens)
  if type(tokens) == "number" and tokens % 1 == 0 and tokens >= 0 and tokens <= MOST_TOKENS then
    return
  end
  error(outcome.error("usage", ("max_new_tokens is %s, wanted a whole number of 0 to %d"):format(
    tostring(tokens), MOST_TOKENS)), 0)
end

-- The file that says how to generate.
local function config_path(subject)
  local name = subject:has_file("generation_config.json") and "generation_config.json"
    or "config.json"
  return subject:file(name) or subject.name
end

-- transformers takes bos_token_id where decoder_start_token_id is not said.
local function start_token(config)
  return config.decoder_start_token_id or config.bos_token_id
end

--- What the decoder of a subject is given before its output: the ids of the prompt, or of an
--- encoder-decoder, which reads the prompt as its source, the one that every output starts with.
---@param subject table
---@param input_ids integer[]
---@return integer[]
function M.given_ids(subject, input_ids)
  if not subject.architecture.encoder_decoder then return input_ids end
  local start = start_token(without_nulls(subject.generation_config))
  if type(start) == "number" then return { start } end
  error(outcome.error("checkpoint", "there is no decoder_start_token_id",
    "the decoder of an encoder-decoder starts with it; config.json or generation_config.json "
    .. "names it", config_path(subject)), 0)
end

--- The logits behind ids that a decoder has been given or has written.
---@param subject table
---@param ids integer[]
---@param options table|nil as host.model takes it
---@param input_ids integer[] the source of an encoder-decoder; not read otherwise
function M.forward(subject, ids, options, input_ids)
  local source = subject.architecture.encoder_decoder and input_ids or nil
  return subject.runtime:forward(ids, options, source)
end

-- A prompt's tokens: of a text those that the tokenizer adds too; a chat template has written its
-- own.
local function encoded(subject, prompt)
  local is_text = type(prompt) == "string"
  local ids = subject.tokenizer:encode(is_text and prompt or prompt.text, is_text)
  if #ids == 0 then
    error(outcome.error("usage", "the prompt has no tokens", "give a text to continue"), 0)
  end
  return ids
end

-- The engine's options, and the texts that end a generation: those need the tokenizer.
local function options_of(subject, max_new_tokens, sampling)
  local options = without_nulls(subject.generation_config)
  for key, value in pairs(sampling or {}) do options[key] = value end
  options.do_sample = sampling ~= nil
  options.max_new_tokens = max_new_tokens
  local stops = options.stop_strings
  options.stop_strings = nil
  if type(stops) == "string" then stops = { stops } end
  return options, stops and #stops > 0 and stops or nil
end

-- Ends a generation at the first new token that completes a stop string.
local function cut(generated, length, matches)
  for i, _ in ipairs(generated.steps) do
    if matches(generated.ids, length + i) then
      for k = #generated.steps, i + 1, -1 do
        generated.steps[k], generated.ids[length + k] = nil, nil
      end
      generated.finished = "stop"
      return
    end
  end
end

local function generated(subject, batch, options)
  local ok, rows = pcall(subject.runtime.generate, subject.runtime, batch, options)
  if ok then return rows end
  error(outcome.at(rows, options.do_sample and subject.name or config_path(subject)), 0)
end

--- Continues several prompts, in batches as transformers runs them. Greedily, unless `sampling` is
--- given: what it has replaces the fields of generation_config.json.
---@param subject table
---@param prompts (string|{ text: string })[] a table for a text that has its special tokens already
---@param max_new_tokens integer
---@param sampling table|nil {seed, temperature, top_k, top_p, min_p, ...}
---@return table[] one result for each prompt: {input_ids, given_ids, output_ids, text, steps:
---  {token, logit, logprob, margin, runner_up}[], finished: "eos"|"length"|"stop"}; output_ids
---  begin with given_ids
function M.run_all(subject, prompts, max_new_tokens, sampling)
  check_count(max_new_tokens)
  local options, stops = options_of(subject, max_new_tokens, sampling)
  local matches = stops and require("qspec.stop_strings").matcher(subject.tokenizer, stops,
    subject:has_file("tokenizer.json") and subject:file("tokenizer.json") or nil)
  local inputs, results = {}, {}
  for i, prompt in ipairs(prompts) do inputs[i] = encoded(subject, prompt) end
  if subject.architecture.encoder_decoder then
    options.decoder_start_token_id = M.given_ids(subject, {})[1]
  end
  for first = 1, #inputs, MOST_AT_ONCE do
    local batch = { unpack(inputs, first, math.min(first + MOST_AT_ONCE - 1, #inputs)) }
    for i, row in ipairs(generated(subject, batch, options)) do
      local given = M.given_ids(subject, batch[i])
      if matches then cut(row, #given, matches) end
      results[#results + 1] = { input_ids = batch[i], given_ids = given, output_ids = row.ids,
        steps = row.steps, finished = row.finished,
        text = subject.tokenizer:decode(row.ids, true) }
    end
  end
  return results
end

--- Continues one prompt.
---@param subject table
---@param prompt string|{ text: string } a table for a text that has its special tokens already
---@param max_new_tokens integer
---@param sampling table|nil
---@return table
function M.run(subject, prompt, max_new_tokens, sampling)
  return M.run_all(subject, { prompt }, max_new_tokens, sampling)[1]
end

local function common_prefix(a, b)
  local length = 0
  while length < #a and length < #b and a[length + 1] == b[length + 1] do length = length + 1 end
  return length
end

-- The ids that an accepted text would have come from.
local function accepted_ids(subject, result, text)
  local ids = subject.tokenizer:encode(text, true)
  if subject.architecture.encoder_decoder then table.insert(ids, 1, result.given_ids[1]) end
  return ids
end

--- Where a generation leaves the accepted text that it follows longest.
---@param subject table
---@param result table from M.run
---@param accepted string[]
---@return table {accepted, position, found, wanted, margin} position is 1-based in output_ids;
---  found and wanted are tokens as text; margin is the logit of found minus that of wanted, before
---  they were rounded to the model's dtype, nil when one text is a prefix of the other
function M.divergence(subject, result, accepted)
  local best = { length = -1 }
  for _, text in ipairs(accepted) do
    local ids = accepted_ids(subject, result, text)
    local length = common_prefix(ids, result.output_ids)
    if length > best.length then best = { length = length, ids = ids, text = text } end
  end
  local position = best.length + 1
  local found, wanted = result.output_ids[position], best.ids[position]
  local divergence = { accepted = best.text, position = position,
    found = found and subject.tokenizer:decode({ found }, false),
    wanted = wanted and subject.tokenizer:decode({ wanted }, false) }
  if found and wanted and position > #result.given_ids then
    local prefix = {}
    for i = 1, best.length do prefix[i] = result.output_ids[i] end
    local source = subject.architecture.encoder_decoder and result.input_ids or nil
    local logits = subject.runtime:exact_logits(prefix, { found, wanted }, source)
    divergence.margin = logits:select(1, 1):item() - logits:select(1, 2):item()
  end
  return divergence
end

return M
