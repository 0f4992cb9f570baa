-- M08: the grid of scales is transposed in place.

local scales = require "qspec.mutation.scales"

return {
  id = "M08",
  name = "scale_transpose",
  summary = "the grid of scales is transposed, its shape kept",
  details = [[
The shape stays, the scales lie in it column by column: no header shows it. Scales that are one row
or one column have no other order.]],
  applies = scales.applies,
  doses = { "module", "layer", "all" },
  mutate = function(mutant, dose)
    return scales.edit(mutant, dose, function(values)
      local shape = values:shape()
      if shape[1] == 1 or shape[2] == 1 then return nil end
      return values:t():contiguous():reshape(shape)
    end)
  end,
}
