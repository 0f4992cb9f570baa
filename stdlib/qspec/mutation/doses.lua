-- How much of a checkpoint an operator changes: from one block of one weight to all of them.

local M = {}

--- Smallest first. "once" is of operators that know no more and no less.
M.ORDER = { "once", "block", "group", "module", "layer", "all" }

local RANK = {}
for rank, name in ipairs(M.ORDER) do RANK[name] = rank end

function M.rank(name)
  return RANK[name]
end

local function layer_of(row)
  return row.name:match("^(.-%.%d+)%.") or row.name
end

--- The rows that a dose takes of some: one, those of its layer, or all.
---@param mutant qspec.Mutant
---@param dose string
---@param rows table[]
---@return table[]
function M.rows(mutant, dose, rows)
  if dose == "all" or #rows == 0 then return rows end
  local one = mutant.random:pick(rows)
  if dose ~= "layer" then return { one } end
  local list = {}
  for _, row in ipairs(rows) do
    if layer_of(row) == layer_of(one) then list[#list + 1] = row end
  end
  return list
end

return M
