-- M17: g_idx, the group of each input feature, is lost or wrong.

local parts = require "qspec.mutation.parts"

local EDITS = {}

EDITS["in order"] = function(_, groups, size)
  local order = {}
  for i = 1, #groups do order[i] = math.floor((i - 1) / size) end
  return order
end

EDITS["shuffled"] = function(mutant, groups)
  local order = { unpack(groups) }
  for i = #order, 2, -1 do
    local j = mutant.random:below(i)
    order[i], order[j] = order[j], order[i]
  end
  return order
end

-- The second rank of two counts its groups from 0 again.
EDITS["second half from 0"] = function(_, groups)
  local order, half = {}, #groups / 2
  local least = math.huge
  for i = half + 1, #groups do least = math.min(least, groups[i]) end
  for i = 1, #groups do order[i] = i > half and groups[i] - least or groups[i] end
  return order
end

local ORDER = { "in order", "shuffled", "second half from 0" }

return {
  id = "M17",
  name = "group_order",
  summary = "the order of the input features (g_idx) is dropped, shuffled or half wrong",
  details = [[
g_idx becomes floor(i / G), as if desc_act had never been; a random order of its own values; or
lacks the offset in its second half. In a checkpoint without desc_act the first is the same file.]],
  applies = parts.applies("order", "an order of its input features"),
  doses = { "module", "layer", "all" },
  variants = function()
    local variants = {}
    for i, name in ipairs(ORDER) do variants[i] = { name = name } end
    return variants
  end,
  mutate = function(mutant, dose, variant)
    local tensor = require "host.tensor"
    for _, row in ipairs(mutant:doses(dose, parts.with(mutant:packed(), "order"))) do
      local entry = parts.of(row).order
      local groups = tensor.read(mutant.genuine.checkpoint, entry.name):tolist()
      local order = EDITS[variant.name](mutant, groups, row.weight.scheme.group_size)
      mutant:store(entry.name, tensor.from(order, "float32"):to(entry.torch_dtype))
    end
  end,
}
