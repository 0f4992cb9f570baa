-- The same checkpoint run in two ways: whether both say the same.

local M = {}

-- Logits of one model differ between two orders of summation by a few steps of their dtype, and by
-- more where activations are rounded to 8 bits: LLM.int8() takes its outliers from all tokens given
-- at once. None of it is another answer; a cache that loses a token is off by whole numbers.
local SLACK = { float16 = 2 ^ -7, bfloat16 = 2 ^ -5, float32 = 2 ^ -12 }

--- How far two logits of about 1 may lie apart.
---@param dtype string|nil of the model
function M.slack(dtype)
  return SLACK[dtype] or SLACK.float32
end

--- Tokens all over the vocabulary, the same every time.
---@param subject table
---@param count integer
---@return integer[]
function M.probe(subject, count)
  local vocabulary, ids = subject.config.vocab_size or 256, {}
  for i = 1, count do ids[i] = (i * 7919) % vocabulary end
  return ids
end

--- How many tokens a model may be given.
function M.longest(subject)
  local config = subject.config
  return config.max_position_embeddings or config.n_positions or config.seq_length or 2 ^ 20
end

local function best_of(logits)
  local best = logits:argmax()
  return best, logits:select(1, best + 1):item()
end

--- Where two lists of logits choose another token, and not for a tie.
---@param first any qspec.Tensor [tokens, vocabulary]
---@param second any qspec.Tensor of the same shape
---@param dtype string of the model
---@return string|nil
function M.difference(first, second, dtype)
  for place = 1, first:shape()[1] do
    local a, b = first:select(1, place):to("float32"), second:select(1, place):to("float32")
    local best, logit = best_of(a)
    local other, highest = best_of(b)
    local is_tie = highest - b:select(1, best + 1):item()
      <= M.slack(dtype) * math.max(1, math.abs(logit))
    if best ~= other and not is_tie then
      return ("at token %d: %d against %d"):format(place, best, other)
    end
  end
end

return M
