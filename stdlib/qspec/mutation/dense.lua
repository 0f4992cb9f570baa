-- Packed modules put back into full precision.

local weights = require "qspec.weights"

local M = {}

--- Whether a checkpoint has packed weights that can be decoded.
function M.applies(subject)
  for _, row in ipairs(subject.census.modules) do
    if row.layout and not weights.undecodable(row) then return true end
  end
  return nil, "no packed weight that can be decoded"
end

--- The dtype of the dense parameters.
function M.own_dtype(subject)
  return subject.dtype or "float32"
end

--- bfloat16, and the model's own where it is another.
function M.dtypes(subject)
  local own = M.own_dtype(subject)
  local list = { { name = "bfloat16", dtype = "bfloat16" } }
  if own ~= "bfloat16" then list[2] = { name = own, dtype = own } end
  return list
end

--- The full-precision weight of a row: the baseline's, or what the row decodes to.
---@return any qspec.Tensor as the module stores it
function M.weight(subject, row, dtype)
  local baseline = subject.baseline
  local held = baseline and baseline.census.by_name[row.name]
  local weight = held and held.own_tensors and weights.read(held, baseline.checkpoint)
    or weights.read(row, subject.checkpoint)
  if row.module.transposed then weight = weight:transpose(-2, -1):contiguous() end
  return weight:to(dtype)
end

--- Replaces packed rows by dense ones.
---@param mutant qspec.Mutant
---@param rows table[]
---@param dtype string
function M.replace(mutant, rows, dtype)
  for _, row in ipairs(rows) do
    local weight, name = M.weight(mutant.genuine, row, dtype), mutant.name_of(row, "weight")
    mutant:drop_packed(row)
    mutant:store(name, weight)
  end
end

return M
