-- Biases against the baseline's: quantizers leave them as they are, but for factors that they fold
-- into rows.

local expert_parts = require "qspec.expert_parts"
local shapes = require "qspec.shapes"

local M = {}

local FLOATS = { F16 = true, BF16 = true, F32 = true, F64 = true }
local SMALL = 1e-3  -- of the largest; nearer to 0 a sign is rounded away

local function find(ctx, row, key, found, wanted, hint)
  ctx:finding { module = row.name, key = key, found = found, wanted = wanted, hint = hint }
end

-- Factors are positive: what they were folded into keeps its sign.
local function judge_signs(ctx, row, bias, reference)
  bias, reference = bias:to("float32"), reference:to("float32")
  local counted = reference:abs():gt(SMALL * reference:abs():max())
  local turned = bias:mul(reference):le(0):logical_and(counted):count_nonzero()
  if turned == 0 then return end
  find(ctx, row, "bias", ("%d of %d of another sign, or 0"):format(turned, bias:numel()),
    "the signs of the baseline's", "factors leave the sign of a bias")
end

local function judge_values(ctx, row, bias, reference, least_db)
  local result = bias:compare(reference)
  if result.sqnr_db >= least_db then return end
  find(ctx, row, "bias sqnr_db", ("%.2f dB"):format(result.sqnr_db), (">= %g dB"):format(least_db),
    "the bias is not that of the baseline")
end

local function comparable(mine, theirs)
  return mine and theirs and FLOATS[mine.dtype] and FLOATS[theirs.dtype]
    and shapes.equal(mine.shape, theirs.shape)
end

--- Finds a bias that is not the baseline's.
---@param ctx qspec.Context
---@param row table of the census
---@param o table {least_db: number, rescaled: boolean|nil whether factors may be folded into rows}
function M.check(ctx, row, o)
  local baseline = ctx.subject.baseline
  local held = baseline.census.by_name[row.name]
  local mine, theirs = row.holding.tensors.bias, held and held.holding.tensors.bias
  if not comparable(mine, theirs) then return end
  local bias = expert_parts.read(ctx.subject.checkpoint, mine)
  local reference = expert_parts.read(baseline.checkpoint, theirs)
  if o.rescaled then return judge_signs(ctx, row, bias, reference) end
  judge_values(ctx, row, bias, reference, o.least_db)
end

return M
