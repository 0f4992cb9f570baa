-- Faults in the scales of a packed weight, found in their values.

local M = {}

local function add(problems, key, found, wanted, hint)
  problems[#problems + 1] = { key = key, found = found, wanted = wanted, hint = hint }
end

--- Scales that no quantizer writes: not finite, or below zero.
---@param problems table[] to which findings are added
---@param key string the tensor's suffix
---@param scales any qspec.Tensor of a float dtype
---@return table stats of the scales: min, max, zeros, nan, inf
function M.check(problems, key, scales)
  local stats = scales:stats()
  if stats.nan + stats.inf > 0 then
    add(problems, key, ("%d not finite"):format(stats.nan + stats.inf),
      "every scale a finite number", "a scale was lost")
  elseif stats.min < 0 then
    add(problems, key, ("a negative scale, %g"):format(stats.min), "scales >= 0")
  end
  return stats
end

--- Zero scales over groups whose codes differ: what they held is gone. A group of zeros quantizes
--- to equal codes, and its scale may be 0.
---@param problems table[]
---@param key string
---@param scales any Tensor [rows, groups]
---@param codes any Tensor [rows, columns] of whole numbers
---@param group_size integer columns of a group; a shorter last group is not looked at
function M.lost(problems, key, scales, codes, group_size)
  local rows, groups = codes:shape()[1], math.floor(codes:shape()[2] / group_size)
  if rows == 0 or groups == 0 then return end
  local full = codes:narrow(2, 1, groups * group_size):reshape(rows, groups, group_size)
  local varied = full:ne(full:narrow(3, 1, 1)):any(3)
  local lost = scales:narrow(2, 1, groups):eq(0):logical_and(varied):count_nonzero()
  if lost == 0 then return end
  add(problems, key, ("0 over %d of %d groups that hold codes"):format(lost, rows * groups),
    "scales > 0 wherever a group is not constant",
    "these weights decode to one value: a scale was lost")
end

return M
