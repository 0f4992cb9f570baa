-- Bytes as base64, RFC 4648.

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function letter(value)
  return ALPHABET:sub(value + 1, value + 1)
end

---@param bytes string
---@return string
local function base64(bytes)
  local parts = {}
  for at = 1, #bytes, 3 do
    local a, b, c = bytes:byte(at, at + 2)
    local word = a * 65536 + (b or 0) * 256 + (c or 0)
    parts[#parts + 1] = letter(math.floor(word / 262144)) .. letter(math.floor(word / 4096) % 64)
      .. (b and letter(math.floor(word / 64) % 64) or "=") .. (c and letter(word % 64) or "=")
  end
  return table.concat(parts)
end

return base64
