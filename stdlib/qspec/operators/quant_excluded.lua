-- M03: a module that should have been left alone is packed like the others.

local excluded = require "qspec.mutation.excluded_rows"
local packer = require "qspec.mutation.packer"

return {
  id = "M03",
  name = "quant_excluded",
  summary = "an excluded module (output head, embedding) is packed, the list unchanged",
  details = [[
Rounded to nearest with the checkpoint's own scheme and stored with all companions in place of the
dense weight. A tied head gets a weight of its own.]],
  applies = function(subject)
    if not packer.can_pack(subject) then
      return nil, "no packed weight whose layout can pack another"
    end
    if #excluded.of(subject) > 0 then return true end
    return nil, "no module was left alone"
  end,
  doses = { "once" },
  variants = function(subject)
    local variants = {}
    for i, row in ipairs(excluded.of(subject)) do variants[i] = { name = row.name, row = row } end
    return variants
  end,
  mutate = function(mutant, _, variant)
    local row = variant.row
    local weight = excluded.weight(mutant.genuine, row)
    if row.holding.tensors.weight then mutant:drop(row.holding.tensors.weight.name) end
    return packer.pack(mutant, row.module, weight)
  end,
}
