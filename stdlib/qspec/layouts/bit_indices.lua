-- Indices of any number of bits in 32-bit words: wider than the codes that the engine unpacks.

local M = {}

--- The first `count` indices of each row, whose words are one stream, lowest bit first.
---@param words any Tensor of 32-bit integers [..., W]
---@param bits integer 1 to 32
---@param count integer
---@return any Tensor int64 [..., count]
function M.unpack(words, bits, count)
  local tensor = require "host.tensor"
  local sizes = words:shape()
  local stream = tensor.unpack_stream(words, 1, bits * count)
  sizes[#sizes], sizes[#sizes + 1] = count, bits
  local each, total = stream:reshape(sizes), nil
  for bit = 1, bits do
    local value = each:select(#sizes, bit):to("int64"):lshift(bit - 1)
    total = total and total:bor(value) or value
  end
  return total
end

return M
