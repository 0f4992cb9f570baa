-- M22: tensors have other names than the library looks for.

local function rename_where(mutant, new_name)
  local renamed = false
  for _, entry in ipairs(mutant.stored:tensors()) do
    local new = new_name(entry.name)
    if new and new ~= entry.name then
      mutant:rename(entry.name, new)
      renamed = true
    end
  end
  return renamed
end

-- Endings of companions that libraries write one for the other.
local OTHER = { weight_scale = "scale_weight", weight_scale_inv = "weight_scale", scales = "scale",
  qzeros = "zeros", SCB = "scb", g_idx = "perm", weight_packed = "qweight",
  weight_zero_point = "weight_zp", weight_shape = "shape", weight_global_scale = "weight_scale_2",
  _weight_scale = "weight_scale", _weight_qdata = "weight",
  _weight_zero_point = "weight_zero_point", qweight = "weight_packed" }

local function other_suffix(suffix)
  return OTHER[suffix] or suffix:find("absmax") and suffix:gsub("absmax", "abs_max")
    or suffix:find("quant_map") and suffix:gsub("quant_map", "code")
    or suffix:find("quant_state") and suffix:gsub("bitsandbytes__", "bnb__") or nil
end

local function suffixes_of(subject)
  local list, seen = {}, {}
  for _, row in ipairs(subject.census.modules) do
    for _, suffix in ipairs(row.layout and row.holding.list or {}) do
      if not seen[suffix] and other_suffix(suffix) then
        seen[suffix], list[#list + 1] = true, suffix
      end
    end
  end
  return list
end

local function prefixed(mutant)
  return rename_where(mutant, function(name)
    local prefix, rest = name:match("^(model%.)(.*)$")
    if not prefix then prefix, rest = name:match("^(transformer%.)(.*)$") end
    return prefix and prefix .. "language_model." .. rest
  end)
end

local function companion(mutant, dose, suffix)
  local wanted = {}
  for _, row in ipairs(mutant:doses(dose)) do
    local entry = row.holding.tensors[suffix]
    if entry then wanted[entry.name] = entry.name:sub(1, -#suffix - 1) .. other_suffix(suffix) end
  end
  return rename_where(mutant, function(name) return wanted[name] end)
end

-- The output head's name for the embeddings, or the other way round.
local function head(mutant)
  local census, output = mutant.genuine.census, mutant.genuine.architecture.output
  for _, row in ipairs(census.modules) do
    local entry = row.kind == "embedding" and row.holding.tensors.weight
    if entry and output then
      return rename_where(mutant, function(name)
        return name == entry.name and output .. ".weight" or nil
      end)
    end
  end
  return false
end

return {
  id = "M22",
  name = "rename",
  summary = "tensors have other names than the library looks for",
  details = [[
In the files and the index alike: a prefix put in (model.language_model), each kind of companion by
the name that another library gives it, the embeddings by the name of the output head.]],
  applies = function(subject)
    if subject.gguf then return nil, "GGUF files have names of their own" end
    return true
  end,
  doses = { "module", "all" },
  variants = function(subject)
    local variants = { { name = "prefix", edit = prefixed, doses = { "once" } },
      { name = "embedding as head", edit = head, doses = { "once" } } }
    for _, suffix in ipairs(suffixes_of(subject)) do
      variants[#variants + 1] = { name = suffix, suffix = suffix }
    end
    return variants
  end,
  mutate = function(mutant, dose, variant)
    if variant.edit then return variant.edit(mutant) end
    return companion(mutant, dose, variant.suffix)
  end,
  equivalent = "a tied weight is read under either name",
}
