-- The scales of groups of codes of few bits, judged by the gains of the groups (block_gains.lua).

local block_gains = require "qspec.block_gains"
local weights = require "qspec.weights"

local M = {}

local LARGEST_GROUP = 128

-- Rounding weights of normal, Laplace and Student distributions (3 degrees of freedom, factors by
-- row or column) to nearest leaves no group of 64 with a gain further from 1 than these, and gains
-- no further apart than 2.8 times what noise explains.
local FURTHEST = { [2] = 0.9, [3] = 0.45, [4] = 0.35 }
local DEVIATIONS, SCATTER = 5, 3

-- The values under one scale; nil where a library's own rounding judges more strictly, where it
-- folds factors into rows, and where the gains of groups say nothing.
local function group_width(ctx, row)
  local scheme, format, shape = row.scheme, ctx.subject.format, row.weight.shape
  local is_told = row.layout.rescales or scheme.rescales or format and format.quantizer
  local width = scheme.group_size
  local is_grouped = type(width) == "number" and width > 0 and width <= LARGEST_GROUP
  if is_told or not is_grouped or not FURTHEST[scheme.bits] or #shape ~= 2 then return nil end
  return shape[2] % width == 0 and width or nil
end

local function find(ctx, row, key, found, wanted, hint)
  ctx:finding { module = row.name, key = key, found = ("%.4f"):format(found), wanted = wanted,
    hint = hint }
end

--- Finds scales that are not those of their groups.
---@param ctx qspec.Context
---@param row table of the census
---@param result qspec.Comparison of the whole weight
---@param reference any qspec.Tensor [out, in]
function M.check(ctx, row, result, reference)
  local width = row.layout and group_width(ctx, row)
  if not width then return end
  local gains = block_gains.of(row, weights.read(row, ctx.subject.checkpoint, "float32"),
    reference:to("float32"), width)
  local allowed = math.max(FURTHEST[row.scheme.bits], DEVIATIONS * gains.deviation)
  local most = SCATTER * math.sqrt(result.nmse / width)
  if math.abs(gains.furthest - 1) > allowed then
    find(ctx, row, ("group %d gain"):format(gains.block), gains.furthest,
      ("1 within %.3g"):format(allowed), "the scale of one group is off")
  elseif gains.deviation > most then
    find(ctx, row, "deviation of the groups' gains", gains.deviation,
      ("<= %.4f, which noise explains"):format(most),
      "scales lie in another order, or are another weight's")
  end
end

return M
