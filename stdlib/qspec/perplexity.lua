-- Perplexity in windows: exp of the mean negative log-likelihood, in nats, of tokens 2..window of
-- each window; windows do not overlap and share no context; the last partial one is dropped.

local outcome = require "qspec.outcome"

local M = {}

M.LARGEST_TEXT = 256 * 2 ^ 20

local function refuse_encoder_decoder(subject)
  if not subject.architecture.encoder_decoder then return end
  error(outcome.error("unsupported", ("%s is an encoder-decoder, and perplexity is of a model that "
    .. "continues a text"):format(subject.architecture.name),
    "its decoder predicts an output for a source, and one text is not both; see generates and "
    .. "numerics", subject:file("config.json") or subject.name), 0)
end

--- Measures a subject on a text.
---@param subject table
---@param text string
---@param window integer tokens in a window, at least 2
---@param on_progress (fun(done: integer, total: integer))|nil
---@return table {window, windows, tokens_scored, mean_nll, perplexity}
function M.measure(subject, text, window, on_progress)
  if not window or window < 2 or window % 1 ~= 0 then
    error(outcome.error("usage", ("a window of %s tokens, wanted a whole number of at least 2")
      :format(tostring(window)), "one token predicts the next, so one alone scores nothing"), 0)
  end
  refuse_encoder_decoder(subject)
  local ids = subject.tokenizer:encode(text, true)
  local windows = math.floor(#ids / window)
  if windows == 0 then
    error(outcome.error("usage", ("the text has %d tokens, a window takes %d"):format(#ids, window),
      "a longer text or a shorter --window"), 0)
  end
  local sum = 0
  for w = 0, windows - 1 do
    local part = {}
    for i = 1, window do part[i] = ids[w * window + i] end
    sum = sum + subject.runtime:score(part):to("float64"):sum()
    if on_progress then on_progress(w + 1, windows) end
  end
  local scored = windows * (window - 1)
  return { window = window, windows = windows, tokens_scored = scored, mean_nll = sum / scored,
    perplexity = math.exp(sum / scored) }
end

return M
