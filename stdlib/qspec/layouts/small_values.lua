-- Small tensors that hold settings of a weight: scalars, texts, shapes. The files are not ours:
-- nothing is computed from a value before it was looked at.

local M = {}

local WIDTHS = { I64 = 8, I32 = 4, I16 = 2, I8 = 1, U8 = 1, U16 = 2, U32 = 4, BOOL = 1 }
local SIGNED = { I64 = true, I32 = true, I16 = true, I8 = true }
local MOST_BYTES = 64

local function integer_at(bytes, first, width, signed)
  local value = 0
  for i = first + width - 1, first, -1 do value = value * 256 + bytes:byte(i) end
  if signed and bytes:byte(first + width - 1) >= 128 then value = value - 256 ^ width end
  return value
end

--- The whole numbers of a small tensor, nil when it is absent, too long or of another dtype.
---@param w qspec.StoredWeight
---@param suffix string
---@return integer[]|nil
function M.integers(w, suffix)
  local entry = w.tensors[suffix]
  local width = entry and WIDTHS[entry.dtype]
  if not width or entry.bytes > MOST_BYTES then return nil end
  local bytes, values = w:bytes(suffix), {}
  for first = 1, #bytes, width do
    values[#values + 1] = integer_at(bytes, first, width, SIGNED[entry.dtype])
  end
  return values
end

--- The value of a scalar, nil when it is none.
---@return integer|nil
function M.integer(w, suffix)
  local values = M.integers(w, suffix)
  return values and #values == 1 and values[1] or nil
end

--- A text stored as bytes, nil when it is absent or too long.
---@return string|nil
function M.text(w, suffix)
  local entry = w.tensors[suffix]
  if not entry or entry.dtype ~= "U8" or entry.bytes > MOST_BYTES then return nil end
  return w:bytes(suffix)
end

--- Whether a value of a config is a whole number from 1 to `most`.
---@param value any
---@param most integer|nil 2^31 - 1 unless given
function M.is_count(value, most)
  return type(value) == "number" and value % 1 == 0 and value >= 1 and value <= (most or 2 ^ 31 - 1)
end

return M
