-- G02: a tensor of a GGUF file is called another type than its blocks are of.

local ggml = require "qspec.mutation.ggml"
local ggml_types = require "qspec.ggml_types"

-- Another type with as many elements in as many bytes, so that no size contradicts it.
local function namesake(dtype)
  local own, names = ggml_types[dtype], {}
  for name, kind in pairs(ggml_types) do
    if name ~= dtype and kind.elements == own.elements and kind.bytes == own.bytes then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names[1]
end

local function in_blocks(rows)
  return ggml.with(rows, "scale")
end

local function confusable(rows)
  local list = {}
  for _, row in ipairs(in_blocks(rows)) do
    if namesake(row.codes.dtype) then list[#list + 1] = row end
  end
  return list
end

-- Decoded, and stored in full precision.
local function unpacked(mutant, row)
  local weights = require "qspec.weights"
  local entry = mutant.genuine.checkpoint:find(row.codes.name)
  local values = require("host.tensor").ggml { blocks = require("host.tensor").read_bytes(
    mutant.genuine.checkpoint, entry.name), type = entry.dtype, shape = entry.shape }
  weights.refuse_broken(row)
  mutant:store(entry.name, values:decode("float16"))
end

local function renamed(mutant, row)
  local entry = mutant.genuine.checkpoint:find(row.codes.name)
  mutant:put(entry.name, namesake(entry.dtype), entry.shape,
    mutant.genuine.stored:bytes(entry.name, entry.bytes))
end

return {
  id = "G02",
  name = "block_type",
  summary = "a tensor of a GGUF file is of another type than the file says, or in full precision",
  details = [[
The same bytes under the name of a type with blocks of the same size (Q4_0 and IQ4_NL), which no
size contradicts; and the values of a packed tensor stored as float16.]],
  applies = ggml.applies,
  doses = { "module", "layer", "all" },
  variants = function(subject)
    local variants = { { name = "float16", rows = in_blocks, edit = unpacked } }
    if #confusable(subject.census.modules) > 0 then
      variants[2] = { name = "of the same size", rows = confusable, edit = renamed }
    end
    return variants
  end,
  mutate = function(mutant, dose, variant)
    for _, row in ipairs(mutant:doses(dose, variant.rows(mutant:packed()))) do
      variant.edit(mutant, row)
    end
  end,
}
