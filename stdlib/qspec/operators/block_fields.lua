-- G01: a part of the blocks of a GGUF file is damaged: scale, minimum, small scales, codes.

local codes = require "qspec.mutation.codes"
local ggml = require "qspec.mutation.ggml"

local function times(factor)
  return ggml.of_float16(function(values) return values:mul(factor) end)
end

local function set(value)
  return ggml.of_float16(function(values) return values:mul(0):add(value) end)
end

-- Those of the next block; of one block, of no other.
local function rolled(bytes)
  local count = bytes:shape()[1]
  if count == 1 then return codes.xor(bytes, 0xff) end
  return require("host.tensor").cat({ bytes:narrow(1, 2, count - 1), bytes:narrow(1, 1, 1) }, 1)
end

local function swapped(bytes)
  local wide = bytes:to("int32")
  return wide:lshift(4):bor(wide:rshift(4)):band(0xff):to("uint8")
end

local function reversed(bytes)
  local width = bytes:shape()[2]
  return bytes:index_select(2, require("host.tensor").arange(1, width):mul(-1):add(width + 1))
end

local HIGHEST = { [1] = 0x80, [2] = 0x88, [4] = 0xaa }

local function sign_flipped(bytes, row)
  local per_byte = require("qspec.layouts.ggml_fields")[row.codes.dtype].per_byte
  return codes.xor(bytes, HIGHEST[per_byte])
end

local VARIANTS = {
  { name = "scale 0", part = "scale", change = set(0) },
  { name = "scale NaN", part = "scale", change = set(0 / 0) },
  { name = "scale 1", part = "scale", change = set(1) },
  { name = "scale x 2", part = "scale", change = times(2) },
  { name = "scale negative", part = "scale", change = times(-1) },
  { name = "scale of the next block", part = "scale", change = rolled },
  { name = "minimum 0", part = "minimum", change = set(0) },
  { name = "minimum x 2", part = "minimum", change = times(2) },
  { name = "minimum negative", part = "minimum", change = times(-1) },
  { name = "small scales 0", part = "scales", change = function(bytes) return bytes:mul(0) end },
  { name = "small scales reversed", part = "scales", change = reversed },
  { name = "small scales of the next block", part = "scales", change = rolled },
  { name = "codes with nibbles swapped", part = "codes", change = swapped },
  { name = "codes with the highest bit flipped", part = "codes", change = sign_flipped },
  { name = "codes of the next block", part = "codes", change = rolled },
}

return {
  id = "G01",
  name = "block_fields",
  summary = "in the blocks of a GGUF file a scale, a minimum or the codes are damaged",
  details = [[
Every part of a ggml block by its own place: the float16 scale and minimum (0, NaN, 1, doubled, of
the other sign, the next block's), the small scales of a k-quant's groups, the codes with nibbles
swapped, with the highest bit flipped, or the next block's.]],
  applies = ggml.applies,
  doses = codes.DOSES,
  variants = function(subject)
    local variants = {}
    for _, variant in ipairs(VARIANTS) do
      if #ggml.with(subject.census.modules, variant.part) > 0 then
        variants[#variants + 1] = variant
      end
    end
    return variants
  end,
  mutate = function(mutant, dose, variant)
    return ggml.edit(mutant, dose, variant.part, variant.change)
  end,
}
