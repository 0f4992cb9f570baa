-- M02: the whole model is in full precision, with the config or without.

local dense = require "qspec.mutation.dense"

local VARIANTS = { { name = "config kept" }, { name = "config removed", removed = true } }

return {
  id = "M02",
  name = "unquant_all",
  summary = "every module is stored in full precision, the config kept or removed",
  details = [[
Sizes grow to those of the baseline. Without its config this is a sound full-precision model: only a
spec that says what it wants (quantized { method = ... }, memory { ratio = ... }) can notice.]],
  applies = dense.applies,
  doses = { "once" },
  variants = function() return VARIANTS end,
  mutate = function(mutant, _, variant)
    dense.replace(mutant, mutant:packed(), dense.own_dtype(mutant.genuine))
    if variant.removed then mutant:drop_quantization() end
  end,
}
