-- M07: scales are too large or too small by a factor, or the reciprocal.

local scales = require "qspec.mutation.scales"

local FACTORS = { { name = "x 2", factor = 2 }, { name = "/ 2", factor = 1 / 2 },
  { name = "x 448", factor = 448 }, { name = "/ 448", factor = 1 / 448 },
  { name = "x 1.05", factor = 1.05 }, { name = "reciprocal" } }

return {
  id = "M07",
  name = "scale_gain",
  summary = "scales are multiplied by a factor, or stand for their reciprocal",
  details = [[
448 is the largest e4m3 number: a scale of codes taken for one of values. The reciprocal is scale
for scale_inv. 1.05 is the size of a bad calibration.]],
  applies = scales.applies,
  doses = scales.DOSES,
  variants = function() return FACTORS end,
  mutate = function(mutant, dose, variant)
    return scales.edit(mutant, dose, function(values)
      if variant.factor then return values:mul(variant.factor) end
      return values:pow(-1)
    end)
  end,
}
