-- Codes packed along the rows: a byte of row r holds codes of rows r, r + R, r + 2R ..., where R
-- is the number of packed rows. HQQ, quanto and BitNet pack so.

local M = {}

--- Codes one a byte, block after block.
---@param packed any Tensor [R, ...] of integers
---@param bits integer of a code
---@param shifts integer[] where in a word each block lies, in bits
---@return any codes Tensor uint8 [R * #shifts, ...]
function M.unpack(packed, bits, shifts)
  if bits == 8 and packed:dtype() == "uint8" then return packed end
  return require("host.tensor").unpack_planes(packed, bits, shifts)
end

--- Shifts of blocks in a word, the first in its lowest bits or in its highest.
---@param bits integer
---@param word integer bits of a word
---@param first "low"|"high"
---@return integer[]
function M.shifts(bits, word, first)
  local count, list = math.floor(word / bits), {}
  for i = 1, count do
    list[i] = first == "low" and bits * (i - 1) or bits * (count - i)
  end
  return list
end

return M
