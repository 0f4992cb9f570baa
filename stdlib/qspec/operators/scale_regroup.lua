-- M09: scales of other groups than those of the codes.

local scales = require "qspec.mutation.scales"

local EDITS = {}

-- Along the groups of each output feature; `axis` counts from 1.
EDITS["rolled by a group"] = function(values, axis)
  local count = values:shape()[axis]
  if count == 1 then return nil end
  local order = { count }
  for i = 2, count do order[i] = i - 1 end
  return values:index_select(axis, order)
end

-- What groups twice as wide would have, stored one for each of the old.
EDITS["of groups twice as wide"] = function(values, axis)
  local count = values:shape()[axis]
  if count % 2 == 1 then return nil end
  local other = {}
  for i = 1, count do other[i] = i % 2 == 1 and i + 1 or i - 1 end
  return values:maximum(values:index_select(axis, other))
end

EDITS["rolled by an output feature"] = function(values, axis)
  return EDITS["rolled by a group"](values, 3 - axis)
end

local ORDER = { "rolled by a group", "rolled by an output feature", "of groups twice as wide" }

return {
  id = "M09",
  name = "scale_regroup",
  summary = "scales belong to other groups than the codes that they scale",
  details = [[
Rolled by one along the groups or the output features, or those of groups twice as wide, in an array
of the old shape.]],
  applies = scales.applies,
  doses = { "module", "layer", "all" },
  variants = function()
    local variants = {}
    for i, name in ipairs(ORDER) do variants[i] = { name = name } end
    return variants
  end,
  mutate = function(mutant, dose, variant)
    return scales.edit(mutant, dose, function(values, row)
      local shape = values:shape()
      local transposed = shape[1] ~= row.weight.shape[1] and shape[2] == row.weight.shape[1]
      return EDITS[variant.name](values, transposed and 1 or 2)
    end)
  end,
}
