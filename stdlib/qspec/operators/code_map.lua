-- M14: the same codes, read as another type's.

local codes = require "qspec.mutation.codes"
local codebooks = require "qspec.layouts.bnb_codebooks"

local SIGN = { [2] = 0xaa, [4] = 0x88, [8] = 0x80 }

local function has_sign(row) return SIGN[row.weight.scheme.bits] ~= nil end

local function flip_sign(mutant, dose)
  return codes.edit_bytes(mutant, dose, has_sign, function(bytes, row)
    return codes.xor(bytes, SIGN[row.weight.scheme.bits])
  end)
end

local OTHER = { nf4 = "fp4", fp4 = "nf4" }

local function books(row)
  return row.holding.tensors["weight.quant_map"] and OTHER[row.weight.scheme.type]
end

local function rows_with_books(mutant)
  local rows = {}
  for _, row in ipairs(mutant:packed()) do
    if books(row) then rows[#rows + 1] = row end
  end
  return rows
end

-- The table of the other type under the name of this one.
local function other_table(mutant, dose)
  local tensor, rows = require "host.tensor", rows_with_books(mutant)
  for _, row in ipairs(mutant:doses(dose, rows)) do
    mutant:store(mutant.name_of(row, "weight.quant_map"),
      tensor.from(codebooks[books(row)].values, "float32"))
  end
  return #rows > 0
end

-- Type, name and table of the other type, over codes of this one: only the values show it.
local function other_type(mutant, dose)
  if not other_table(mutant, dose) then return false end
  for _, row in ipairs(mutant:doses("all", rows_with_books(mutant))) do
    local own, other = row.weight.scheme.type, books(row)
    local entry = row.holding.tensors[row.weight.scheme.state_suffix]
    local text = mutant.stored:bytes(entry.name):gsub('"' .. own .. '"', '"' .. other .. '"')
    mutant:drop(entry.name)
    mutant:put((entry.name:gsub("__" .. own, "__" .. other)), "U8", { #text }, text)
  end
  mutant:edit_quantization(function(config)
    if config.bnb_4bit_quant_type then
      config.bnb_4bit_quant_type = OTHER[config.bnb_4bit_quant_type]
    end
  end)
end

local OTHER_FLOAT = { F8_E4M3 = "F8_E5M2" }

local function is_float8(row) return row.codes ~= nil and OTHER_FLOAT[row.codes.dtype] ~= nil end

local function as_e5m2(mutant, dose)
  local rows = {}
  for _, row in ipairs(mutant:packed()) do
    if is_float8(row) then rows[#rows + 1] = row end
  end
  for _, row in ipairs(mutant:doses(dose, rows)) do
    local entry = row.codes
    mutant:put(entry.name, OTHER_FLOAT[entry.dtype], entry.shape,
      mutant.genuine.stored:bytes(entry.name, entry.bytes))
  end
  return #rows > 0
end

local MODULES = { "module", "layer", "all" }

return {
  id = "M14",
  name = "code_map",
  summary = "codes have the bits of another type: sign flipped, nf4 for fp4, e4m3 for e5m2",
  details = [[
The highest bit of every code flipped (two's complement for offset binary); the table of nf4 where
fp4 is meant, alone or with every name that goes with it; e4m3 bytes called e5m2.]],
  applies = codes.applies(codes.any, "has codes"),
  doses = codes.DOSES,
  variants = function(subject)
    local variants = { { name = "sign bit", edit = flip_sign } }
    for _, row in ipairs(subject.census.modules) do
      if row.layout and books(row) then
        variants[2] = { name = "other table", edit = other_table, doses = MODULES }
        variants[3] = { name = "other type throughout", edit = other_type, doses = { "all" } }
      elseif row.layout and is_float8(row) then
        variants[2] = { name = "e5m2", edit = as_e5m2, doses = MODULES }
      end
    end
    return variants
  end,
  mutate = function(mutant, dose, variant) return variant.edit(mutant, dose) end,
}
