-- Tiers, cheapest first: what a check must be able to see.

local M = {}

M.ORDER = { "config", "header", "weights", "forward", "generate" }

local RANK = {}
for rank, name in ipairs(M.ORDER) do RANK[name] = rank end

--- The rank of a tier; higher costs more.
function M.rank(name)
  return RANK[name]
end

--- The parts of a check by tier: a check with one `run` function runs at its `needs`.
---@param check table
---@return table[] {tier, run} cheapest first
function M.parts(check)
  if type(check.run) == "function" then return { { tier = check.needs, run = check.run } } end
  local parts = {}
  for _, name in ipairs(M.ORDER) do
    if check.run[name] then parts[#parts + 1] = { tier = name, run = check.run[name] } end
  end
  return parts
end

return M
