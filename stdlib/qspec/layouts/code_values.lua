-- What plain integer codes stand for: the tables that host.tensor's `coded` takes.

local M = {}

local made = {}

-- Tables are made once; they are only read.
local function table_of(key, bits, value_of)
  if not made[key] then
    local values = {}
    for code = 0, 2 ^ bits - 1 do values[code + 1] = value_of(code) end
    made[key] = values
  end
  return made[key]
end

--- code - offset.
---@param bits integer
---@param offset integer|nil 0 unless given
---@return number[]
function M.unsigned(bits, offset)
  offset = offset or 0
  return table_of(("u%d-%d"):format(bits, offset), bits, function(code) return code - offset end)
end

--- Two's complement.
---@param bits integer
---@return number[]
function M.signed(bits)
  local half = 2 ^ (bits - 1)
  return table_of("s" .. bits, bits, function(code)
    return code < half and code or code - 2 * half
  end)
end

return M
