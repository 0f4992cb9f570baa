-- An interval for a share of tokens: how many of a text have a property.
--
-- Clopper and Pearson's (Biometrika 26, 1934): exact for independent tokens, however few have it.
-- Neighbours are not independent, so the count is taken of as many independent ones as say as much.

local beta = require "qspec.statistics.beta"
local mean = require "qspec.statistics.mean"

local M = {}

local function clopper_pearson(share, count, confidence)
  local hits, tail = share * count, (1 - confidence) / 2
  return share > 0 and beta.quantile(tail, hits, count - hits + 1) or 0,
    share < 1 and beta.quantile(1 - tail, hits + 1, count - hits) or 1
end

--- The share of true values in a list and the interval that holds that of more of its kind.
---@param flags boolean[] in the order of the text, at least one
---@param confidence number
---@return qspec.Interval
function M.interval(flags, confidence)
  local ones, hits = {}, 0
  for i, flag in ipairs(flags) do
    ones[i] = flag and 1 or 0
    hits = hits + ones[i]
  end
  local share = hits / #flags
  local independent = mean.effective(ones) / #flags
  local function at(tokens) return clopper_pearson(share, tokens * independent, confidence) end
  local low, high = at(#flags)
  return { value = share, low = low, high = high, tokens = #flags, at = at }
end

return M
