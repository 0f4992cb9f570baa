-- Perplexity in windows: exp of the mean negative log-likelihood, in nats, of tokens 2..window of
-- each window; the last partial one is dropped. Windows begin `stride` tokens apart and share no
-- context; of one that overlaps the one before, only what is new is scored. With a baseline both
-- models run window by window, so that no file of its logits is needed.

local divergence = require "qspec.divergence"
local outcome = require "qspec.outcome"

local M = {}

local PAIRED = { "baseline_nll", "kl", "same_top", "margin", "baseline_margin" }

M.LARGEST_TEXT = 256 * 2 ^ 20

local function refuse_encoder_decoder(subject)
  if not subject.architecture.encoder_decoder then return end
  error(outcome.error("unsupported", ("%s is an encoder-decoder, and perplexity is of a model that "
    .. "continues a text"):format(subject.architecture.name),
    "its decoder predicts an output for a source, and one text is not both; see generates and "
    .. "numerics", subject:file("config.json") or subject.name), 0)
end

local function check_count(value, name, least, most, hint)
  if value and value >= least and value <= most and value % 1 == 0 then return end
  error(outcome.error("usage", ("a %s of %s tokens, wanted a whole number of %s"):format(name,
    tostring(value), most == math.huge and "at least " .. least or least .. " to " .. most), hint),
    0)
end

-- Where windows begin, and after how many of their tokens they are scored.
local function windows_of(count, window, stride)
  local windows = {}
  for first = 0, count - window, stride do
    windows[#windows + 1] = { first = first,
      context = first == 0 and 1 or math.max(window - stride, 1) }
  end
  if #windows > 0 then return windows end
  error(outcome.error("usage", ("the text has %d tokens, a window takes %d"):format(count, window),
    "a longer text or a shorter --window"), 0)
end

local function part_of(ids, window, size)
  local part = {}
  for i = 1, size do part[i] = ids[window.first + i] end
  return part
end

-- Adds the numbers of a window to those so far.
local function append(list, tensor)
  for _, value in ipairs(tensor:tolist(tensor:numel())) do list[#list + 1] = value end
end

local function score_alone(runtime, part, context, scored)
  local nll = runtime:score(part):to("float64")
  append(scored.nll, nll:narrow(1, context, nll:numel() - context + 1))
end

local function score_both(runtime, baseline, part, context, scored)
  local found = runtime:compare(baseline, part, context)
  for name, list in pairs(scored) do append(list, found[name]) end
end

--- Measures a subject on a text.
---@param subject table
---@param text string
---@param options {window: integer, stride: integer?, baseline: table?} tokens in a window, at least
---  2; from one window to the next, the window unless given; the subject that is compared with
---@param on_progress (fun(done: integer, total: integer))|nil
---@return table {window, stride, windows, tokens_scored, mean_nll, mean_nll_error, perplexity,
---  perplexity_error}, and with a baseline what divergence.statistics adds
---@return table scored by token, in the order of the text: nll in nats, and with a baseline
---  baseline_nll, kl in nats, same_top, margin and baseline_margin in logits
function M.measure(subject, text, options, on_progress)
  local window, stride = options.window, options.stride or options.window
  check_count(window, "window", 2, math.huge,
    "one token predicts the next, so one alone scores nothing")
  check_count(stride, "stride", 1, window, "text between windows would not be scored")
  refuse_encoder_decoder(subject)
  local ids = subject.tokenizer:encode(text, true)
  local windows, baseline = windows_of(#ids, window, stride), options.baseline
  local scored = { nll = {} }
  for _, name in ipairs(baseline and PAIRED or {}) do scored[name] = {} end
  for i, one in ipairs(windows) do
    local part = part_of(ids, one, window)
    if baseline then
      score_both(subject.runtime, baseline.runtime, part, one.context, scored)
    else
      score_alone(subject.runtime, part, one.context, scored)
    end
    if on_progress then on_progress(i, #windows) end
  end
  local result = divergence.statistics(scored)
  result.window, result.stride, result.windows = window, stride, #windows
  return result, scored
end

return M
