-- Codes packed along the rows: a byte of row r holds codes of rows r, r + R, r + 2R ..., where R
-- is the number of packed rows. HQQ, quanto and BitNet pack so.

local M = {}

--- Shifts of blocks in a word, the first in its lowest bits or in its highest: the planes that
--- host.tensor's `coded` takes.
---@param bits integer
---@param word integer bits of a word
---@param first "low"|"high"
---@return integer[]|nil shifts nil where each word is one code
function M.shifts(bits, word, first)
  local count, list = math.floor(word / bits), {}
  if count == 1 then return nil end
  for i = 1, count do
    list[i] = first == "low" and bits * (i - 1) or bits * (count - i)
  end
  return list
end

return M
