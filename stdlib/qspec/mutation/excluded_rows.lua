-- The modules that a quantizer left alone and might have packed: output heads and embeddings.

local M = {}

--- Rows of the census with a dense matrix of their own, or tied to one.
---@param subject table
---@return table[] rows
function M.of(subject)
  local rows = {}
  for _, row in ipairs(subject.census.modules) do
    local is_matrix = #row.module.shape == 2 and (row.kind == "linear" or row.kind == "embedding")
    if is_matrix and not row.layout then rows[#rows + 1] = row end
  end
  return rows
end

--- The full-precision weight of a row, that of the row it is tied to where it has none.
---@return any qspec.Tensor
function M.weight(subject, row)
  local holder = row.holding.tensors.weight and row or subject.census.by_name[row.tied_to]
  return require("qspec.weights").read(holder, subject.checkpoint)
end

return M
