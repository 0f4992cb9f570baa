-- M05: packed weights have lost one kind of companion.

local function is_dropped(tensor, row)
  return not tensor.codes and not tensor.optional and not tensor.made and tensor.suffix ~= "bias"
    and row.holding.tensors[tensor.suffix] ~= nil
end

local function suffixes_of(subject)
  local list, seen = {}, {}
  for _, row in ipairs(subject.census.modules) do
    for _, tensor in ipairs(row.layout and row.layout.tensors(row.weight.scheme, row.module,
      subject.dtype) or {}) do
      if is_dropped(tensor, row) and not seen[tensor.suffix] then
        seen[tensor.suffix], list[#list + 1] = true, tensor.suffix
      end
    end
  end
  return list
end

return {
  id = "M05",
  name = "drop_companion",
  summary = "a kind of companion (scale, zero point, order, state) is gone",
  details = [[
Each kind of companion that the layout of the weights names is taken from the file and the index.]],
  applies = function(subject)
    if #suffixes_of(subject) > 0 then return true end
    return nil, "no packed weight has companions"
  end,
  doses = { "module", "layer", "all" },
  variants = function(subject)
    local variants = {}
    for i, suffix in ipairs(suffixes_of(subject)) do variants[i] = { name = suffix } end
    return variants
  end,
  mutate = function(mutant, dose, variant)
    local dropped = false
    for _, row in ipairs(mutant:doses(dose)) do
      local entry = row.holding.tensors[variant.name]
      if entry then
        mutant:drop(entry.name)
        dropped = true
      end
    end
    return dropped
  end,
  equivalent = "the library makes this companion itself",
}
