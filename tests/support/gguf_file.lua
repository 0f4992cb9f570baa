-- Writes small GGUF files for tests.

local bit = require "bit"
local system = require "host.system"
local tensor = require "host.tensor"

local M = {}

local TYPES = { u8 = 0, u32 = 4, i32 = 5, f32 = 6, bool = 7, string = 8, array = 9 }
local F32, Q8_0 = 0, 8

local function le(value, bytes)
  local text = {}
  for i = 1, bytes do
    text[i] = string.char(value % 256)
    value = math.floor(value / 256)
  end
  return table.concat(text)
end

local function text(value)
  return le(#value, 8) .. value
end

-- The bytes of numbers in fp32.
local function floats(checkpoint, values)
  local overlay = checkpoint:overlay()
  tensor.store(overlay, "x", tensor.from(values, "float32"))
  return overlay:bytes("x", 2 ^ 24)
end

local function value_text(kind, value, to_floats)
  if kind == "string" then return text(value) end
  if kind == "f32" then return to_floats { value } end
  if kind == "bool" then return le(value and 1 or 0, 1) end
  return le(value % 2 ^ 32, kind == "u8" and 1 or 4)
end

local function pair_text(pair, to_floats)
  local key, kind, value = pair[1], pair[2], pair[3]
  local element = kind:match("^(.*)%[%]$")
  if not element then
    return text(key) .. le(TYPES[kind], 4) .. value_text(kind, value, to_floats)
  end
  local parts = {}
  for i, each in ipairs(value) do parts[i] = value_text(element, each, to_floats) end
  return text(key) .. le(TYPES.array, 4) .. le(TYPES[element], 4) .. le(#value, 8)
    .. table.concat(parts)
end

--- A block of Q8_0 whose scale is one: 32 whole numbers.
function M.q8_0(numbers)
  local codes = {}
  for i = 1, 32 do codes[i] = string.char(bit.band(numbers[i], 255)) end
  return le(0x3c00, 2) .. table.concat(codes)
end

--- Writes a file.
---@param path string
---@param checkpoint any any host.checkpoint, to store floats through
---@param pairs_ table[] {key, type, value}, type as checkpoint:metadata names it
---@param tensors table[] {name, shape, values}: numbers (F32), or bytes of Q8_0
function M.write(path, checkpoint, pairs_, tensors)
  local function to_floats(values) return floats(checkpoint, values) end
  local parts = { "GGUF", le(3, 4), le(#tensors, 8), le(#pairs_, 8) }
  for _, pair in ipairs(pairs_) do parts[#parts + 1] = pair_text(pair, to_floats) end
  local data, offset = {}, 0
  for i, each in ipairs(tensors) do
    local name, shape, values = each[1], each[2], each[3]
    parts[#parts + 1] = text(name) .. le(#shape, 4)
    for d = #shape, 1, -1 do parts[#parts + 1] = le(shape[d], 8) end
    parts[#parts + 1] = le(type(values) == "table" and F32 or Q8_0, 4) .. le(offset, 8)
    local bytes = type(values) == "table" and to_floats(values) or values
    data[i] = bytes .. ("\0"):rep(-#bytes % 32)
    offset = offset + #data[i]
  end
  local header = table.concat(parts)
  system.write_atomic(path, header .. ("\0"):rep(-#header % 32) .. table.concat(data))
end

return M
