-- M10: a tensor is cast to another dtype by value.

local parts = require "qspec.mutation.parts"

local function tensor()
  return require "host.tensor"
end

local function cast(mutant, entry, dtype)
  mutant:store(entry.name, tensor().read(mutant.genuine.checkpoint, entry.name):to(dtype))
end

local FLOAT8 = { F8_E4M3 = true, I8 = true }

local function has_codes_as_weight(row)
  return row.layout ~= nil and row.codes ~= nil and FLOAT8[row.codes.dtype] == true
end

-- Codes as numbers under the name of a dense weight, all companions gone.
local function codes_to_bfloat16(mutant, dose)
  local rows = {}
  for _, row in ipairs(mutant:packed()) do
    if has_codes_as_weight(row) then rows[#rows + 1] = row end
  end
  for _, row in ipairs(mutant:doses(dose, rows)) do
    local values = tensor().read(mutant.genuine.checkpoint, row.codes.name):to("bfloat16")
    local name = mutant.name_of(row, "weight")
    mutant:drop_packed(row)
    mutant:store(name, values)
  end
  return #rows > 0
end

local FLOATS = { F16 = "float16", BF16 = "bfloat16", F32 = "float32" }

local function dense_rows(mutant, kind)
  local rows = {}
  for _, row in ipairs(mutant.genuine.census.modules) do
    local weight = row.holding.tensors.weight
    if row.kind == kind and not row.layout and weight and FLOATS[weight.dtype] then
      rows[#rows + 1] = row
    end
  end
  return rows
end

local function dense_to(kind, dtype)
  return function(mutant, dose)
    local changed = false
    for _, row in ipairs(mutant:doses(dose, dense_rows(mutant, kind))) do
      local weight = row.holding.tensors.weight
      if FLOATS[weight.dtype] ~= dtype then
        cast(mutant, weight, dtype)
        changed = true
      end
    end
    return changed
  end
end

local function scales_to(dtype)
  return function(mutant, dose)
    local changed = false
    for _, row in ipairs(mutant:doses(dose, parts.with(mutant:packed(), "scales"))) do
      local entry = parts.of(row).scales
      if FLOATS[entry.dtype] and FLOATS[entry.dtype] ~= dtype then
        cast(mutant, entry, dtype)
        changed = true
      end
    end
    return changed
  end
end

local VARIANTS = {
  { name = "codes to bfloat16, scales dropped", edit = codes_to_bfloat16 },
  { name = "norms to float8", edit = dense_to("norm", "float8_e4m3fn") },
  { name = "embeddings to float8", edit = dense_to("embedding", "float8_e4m3fn") },
  { name = "norms to float16", edit = dense_to("norm", "float16") },
  { name = "norms to bfloat16", edit = dense_to("norm", "bfloat16") },
  { name = "norms to float32", edit = dense_to("norm", "float32") },
  { name = "embeddings to float16", edit = dense_to("embedding", "float16") },
  { name = "embeddings to bfloat16", edit = dense_to("embedding", "bfloat16") },
  { name = "embeddings to float32", edit = dense_to("embedding", "float32") },
  { name = "scales to float16", edit = scales_to("float16") },
  { name = "scales to bfloat16", edit = scales_to("bfloat16") },
  { name = "scales to float32", edit = scales_to("float32") },
  { name = "scales to int64", edit = scales_to("int64") },
}

return {
  id = "M10",
  name = "value_cast",
  summary = "tensors are cast by value: codes without scales, norms and scales to other types",
  details = [[
Byte codes become bfloat16 numbers and lose their scales, as a loader does that knows no scale;
norms and embeddings become fp8 without one, or another float type; scales another float type or
int64.]],
  applies = function(subject)
    if subject.gguf then return nil, "GGUF tensors have types of their own" end
    return true
  end,
  doses = { "module", "all" },
  variants = function() return VARIANTS end,
  mutate = function(mutant, dose, variant) return variant.edit(mutant, dose) end,
  equivalent = "the library casts this tensor to the dtype that it had",
}
