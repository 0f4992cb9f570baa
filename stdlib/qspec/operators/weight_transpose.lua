-- M15: codes are those of the transposed weight, under scales that are not.

local codes = require "qspec.mutation.codes"

return {
  id = "M15",
  name = "weight_transpose",
  summary = "codes are transposed, their shape and the scales kept",
  details = [[
The codes are unpacked, transposed, laid out in the old shape and packed again: a square weight is
transposed, any other is reshaped where it should be.]],
  applies = codes.applies(codes.has_matrix, "has codes that can be unpacked"),
  doses = { "module", "layer", "all" },
  mutate = function(mutant, dose)
    return codes.edit_matrix(mutant, dose, codes.any, function(matrix)
      return matrix:t():contiguous():reshape(matrix:shape())
    end)
  end,
}
