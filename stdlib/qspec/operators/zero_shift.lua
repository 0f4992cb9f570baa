-- M13: zero points are off by one.

local parts = require "qspec.mutation.parts"

-- Words of packed fields, or one number each.
local function fields_of(words, bits)
  if words:dtype() == "int8" then return nil end
  local shape = words:shape()
  local count = math.floor(shape[#shape] * 32 / bits)
  return require("host.tensor").unpack_stream(words, bits, count)
end

local function stored(fields, bits)
  return require("host.tensor").pack_stream(fields:contiguous(), bits):view("int32")
end

local function shifted(words, bits, by)
  local fields = fields_of(words, bits)
  if not fields then return (words:to("int32") + by):to("int8") end
  return stored((fields:to("int32") + by):mod(2 ^ bits):to("uint8"), bits)
end

-- 0 becomes 1, as a writer that stores z - 1 without wrapping makes of it.
local function lifted(words, bits)
  local fields = fields_of(words, bits)
  if not fields then return words:maximum(1) end
  return stored(fields:maximum(1), bits)
end

local VARIANTS = {
  { name = "+1", change = function(words, bits) return shifted(words, bits, 1) end },
  { name = "-1", change = function(words, bits) return shifted(words, bits, -1) end },
  { name = "0 becomes 1", change = lifted },
}

return {
  id = "M13",
  name = "zero_shift",
  summary = "zero points are off by one",
  details = [[
Every zero point plus or minus one, modulo 2^bits, or only those of 0. The flag that says how they
are stored (checkpoint_format) is a field of the config, M18.]],
  applies = parts.applies("zeros", "zero points"),
  doses = { "module", "layer", "all" },
  variants = function() return VARIANTS end,
  equivalent = "the library does not read the zero points of symmetric codes",
  mutate = function(mutant, dose, variant)
    local tensor = require "host.tensor"
    for _, row in ipairs(mutant:doses(dose, parts.with(mutant:packed(), "zeros"))) do
      local entry = parts.of(row).zeros
      local words = tensor.read(mutant.genuine.checkpoint, entry.name)
      mutant:store(entry.name, variant.change(words, row.weight.scheme.bits):reshape(entry.shape))
    end
  end,
}
