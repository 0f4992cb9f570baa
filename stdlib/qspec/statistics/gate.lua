-- A limit on what was estimated: passed, failed, or not decided by so few tokens.

local M = {}

local MOST_TOKENS = 2 ^ 40  -- more than any text has

local function verdict(operator, low, high, limit)
  if operator == ">=" then low, high, limit = -high, -low, -limit end
  if low ~= low then return "fail" end  -- not a number
  if high <= limit then return "pass" end
  return low > limit and "fail" or "inconclusive"
end

--- `pass` when the whole interval keeps to the limit, `fail` when none of it does.
---@param interval qspec.Interval
---@param operator "<="|">="
---@param limit number
---@return "pass"|"fail"|"inconclusive"
function M.verdict(interval, operator, limit)
  return verdict(operator, interval.low, interval.high, limit)
end

--- How many tokens like these would decide; nil when the value is the limit itself, or so near it
--- that no text is long enough.
---@param interval qspec.Interval
---@param operator "<="|">="
---@param limit number
---@return integer|nil
function M.tokens_to_decide(interval, operator, limit)
  local function decides(tokens)
    local low, high = interval.at(tokens)
    return verdict(operator, low, high, limit) ~= "inconclusive"
  end
  local below, above = interval.tokens, interval.tokens
  while not decides(above) do
    below, above = above, above * 2
    if above > MOST_TOKENS then return nil end
  end
  while above - below > 1 do
    local middle = math.floor((above + below) / 2)
    if decides(middle) then above = middle else below = middle end
  end
  return above
end

return M
