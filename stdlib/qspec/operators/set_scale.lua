-- M06: scales that are no scales, or another weight's.

local scales = require "qspec.mutation.scales"

local VALUES = { { name = "0", value = 0 }, { name = "NaN", value = 0 / 0 },
  { name = "inf", value = math.huge }, { name = "1", value = 1 } }

-- The scales of the packed module before this one that has as many.
local function previous(mutant, values, row)
  local before
  for _, other in ipairs(mutant:packed()) do
    if other == row then return before end
    local grid = other.status == "ok" and scales.read(mutant, other)
    if grid and grid.values:numel() == values:numel() then
      before = grid.values:reshape(values:shape())
    end
  end
end

return {
  id = "M06",
  name = "set_scale",
  summary = "scales are 0, NaN, infinite, 1, or those of another module",
  details = [[
One scale, those of one output feature, of a module, a layer or all are set to a value that a lost,
uninitialized or default scale has, or to those of the module before that has as many.]],
  applies = scales.applies,
  doses = scales.DOSES,
  variants = function()
    local variants = { unpack(VALUES) }
    variants[#variants + 1] = { name = "the previous module's", doses = { "module", "all" } }
    return variants
  end,
  mutate = function(mutant, dose, variant)
    return scales.edit(mutant, dose, function(values, row)
      if not variant.value then return previous(mutant, values, row) end
      return values:mul(0):add(variant.value)
    end)
  end,
}
