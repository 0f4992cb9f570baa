-- An interval for the mean of values that follow one another: one number a token of a text.
--
-- Neighbouring tokens share their context, so that n values say less than n independent ones. What
-- they say is measured: the long-run variance is the mean square of the first 0.4 n^(2/3)
-- projections on cosines, and the quantile that of Student's t with as many degrees of freedom
-- (Lazarus, Lewis, Stock, Watson: "HAR inference", J. Business & Economic Statistics 36, 2018).
-- Divergences are skewed, most tokens next to nothing and a few a lot; an interval that lay
-- symmetrically would end too soon on the long side. Hall's transformation takes the skewness out
-- ("On the removal of skewness by transformation", J. Royal Statistical Society B 54, 1992).

local beta = require "qspec.statistics.beta"

local M = {}

local MOST_PROJECTIONS = 256  -- beyond it t is the normal distribution, and the sums take long

local function moments(list)
  local count, sum, square, cube = #list, 0, 0, 0
  for _, value in ipairs(list) do sum = sum + value end
  local mean = sum / count
  for _, value in ipairs(list) do
    local off = value - mean
    square, cube = square + off ^ 2, cube + off ^ 3
  end
  local variance = square / count
  return mean, variance, variance > 0 and cube / count / variance ^ 1.5 or 0
end

local function projections_of(count)
  return math.max(1, math.min(MOST_PROJECTIONS, math.floor(0.4 * count ^ (2 / 3))))
end

local function long_run_variance(list, mean, projections)
  local count, total = #list, 0
  for k = 1, projections do
    local sum, angle = 0, math.pi * k / count
    for i = 1, count do sum = sum + (list[i] - mean) * math.cos(angle * (i - 0.5)) end
    total = total + 2 / count * sum ^ 2
  end
  return total / projections
end

local function cube_root(x)
  return x < 0 and -(-x) ^ (1 / 3) or x ^ (1 / 3)
end

-- Hall's: which quantile of the skewed statistic belongs to that of the symmetric one.
local function skewed(quantile, skewness, count)
  local bent = skewness / math.sqrt(count)
  if math.abs(bent) < 1e-6 then return quantile end
  return 3 / bent * (cube_root(1 + bent * (quantile - bent / 6)) - 1)
end

--- How many independent values say as much as these, at most as many as there are.
---@param list number[]
---@return number
function M.effective(list)
  local mean, variance = moments(list)
  local long_run = long_run_variance(list, mean, projections_of(#list))
  return long_run > variance and #list * variance / long_run or #list
end

---@class qspec.Interval
---@field value number
---@field low number
---@field high number
---@field tokens integer
---@field at fun(tokens: number): number, number low and high, had it been as many tokens like these

local function unknown(value, tokens)
  local function at() return -math.huge, math.huge end
  return { value = value, low = -math.huge, high = math.huge, tokens = tokens, at = at }
end

--- What is known without a doubt.
---@param value number
---@param tokens integer
---@return qspec.Interval
function M.certain(value, tokens)
  local function at() return value, value end
  return { value = value, low = value, high = value, tokens = tokens, at = at }
end

--- The mean of a list and the interval that holds the mean of more of its kind.
---@param list number[] in the order of the text
---@param confidence number share of texts on which it holds that, half of the others on each side
---@return qspec.Interval
function M.interval(list, confidence)
  local count, mean, variance, skewness = #list, moments(list)
  if mean - mean ~= 0 then return M.certain(mean, count) end  -- infinite, or not a number
  if count < 2 then return unknown(mean, count) end
  local projections = projections_of(count)
  local long_run = long_run_variance(list, mean, projections)
  local quantile = beta.student((1 + confidence) / 2, projections)
  local independent = long_run > variance and variance / long_run or 1
  local function at(tokens)
    local deviation = math.sqrt(long_run / tokens)
    return mean - deviation * skewed(quantile, skewness, independent * tokens),
      mean - deviation * skewed(-quantile, skewness, independent * tokens)
  end
  local low, high = at(count)
  return { value = mean, low = low, high = high, tokens = count, at = at }
end

return M
