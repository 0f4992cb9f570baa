-- How much too large or too small each block of a packed weight is: sum q r / sum r^2 over the
-- values under one scale.
--
-- Codes of two or three bits are so far from their weight that a block with half or twice its scale
-- hides in the noise of its SQNR. Its gain does not: noise hardly correlates with the weight, so
-- that the gain of n values lies within a few sqrt(nmse / n) of 1.

local M = {}

local AT_ONCE = 2 ^ 22  -- values
local LEAST_POWER = 0.25  -- of an average block; next to nothing in a block, any gain is possible

local function gains_of(values, reference, width, least)
  local q, r = values:reshape(-1, width), reference:reshape(-1, width)
  local power, dot = r:mul(r):sum(2), q:mul(r):sum(2)
  local gains = power:gt(least):where(dot:div(power), 1)
  for _, done in ipairs { power, dot } do done:release() end
  return gains
end

-- The columns of one group beside each other, where a quantizer took them in another order.
local function in_order(tensor, order)
  return order and tensor:index_select(2, order) or tensor
end

-- The columns in the order of their groups, where the quantizer took them in an order of its own.
local function order_of(row)
  for suffix, entry in pairs(row.holding.tensors) do
    if suffix:find("g_idx$") then
      local groups = require("host.tensor").read(row.weight.checkpoint, entry.name):tolist(2 ^ 20)
      local order, is_sorted = {}, true
      for i = 1, #groups do
        order[i], is_sorted = i, is_sorted and groups[i] >= (groups[i - 1] or 0)
      end
      table.sort(order, function(i, j)
        if groups[i] ~= groups[j] then return groups[i] < groups[j] end
        return i < j
      end)
      return not is_sorted and order or nil
    end
  end
end

---@class qspec.BlockGains
---@field mean number
---@field deviation number of the gains from their mean
---@field furthest number the gain that lies furthest from 1
---@field block integer its block, counted from 0, row by row

-- Adds the gains of a few rows to the sums.
local function add(result, gains)
  local away = gains:sub(1):abs()
  local at = away:argmax()
  local furthest = gains:select(1, at):item()
  if math.abs(furthest - 1) > math.abs(result.furthest - 1) then
    result.furthest, result.block = furthest, result.count + at - 1
  end
  result.sum, result.squares = result.sum + gains:sum(), result.squares + gains:mul(gains):sum()
  result.count = result.count + gains:numel()
end

--- The gains of all blocks of a packed weight.
---@param row table of the census
---@param values any qspec.Tensor float32 [out, in]
---@param reference any qspec.Tensor float32 [out, in]
---@param width integer values under one scale, which divide a row
---@return qspec.BlockGains
function M.of(row, values, reference, width)
  local shape, order = reference:shape(), order_of(row)
  local rows = math.max(1, math.floor(AT_ONCE / shape[2]))
  local least = LEAST_POWER * width * reference:mul(reference):mean()
  local result = { count = 0, sum = 0, squares = 0, furthest = 1, block = 0 }
  for first = 1, shape[1], rows do
    local taken = math.min(rows, shape[1] - first + 1)
    add(result, gains_of(in_order(values:narrow(1, first, taken), order),
      in_order(reference:narrow(1, first, taken), order), width, least))
  end
  result.mean = result.sum / result.count
  result.deviation = math.sqrt(math.max(0, result.squares / result.count - result.mean ^ 2))
  return result
end

return M
