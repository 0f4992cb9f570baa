-- M01: a packed module is in full precision in the file, and the config does not know.

local dense = require "qspec.mutation.dense"

return {
  id = "M01",
  name = "unquant",
  summary = "packed modules are stored in full precision, the config left as it is",
  details = [[
All packed tensors of the modules go, and `weight` comes: the baseline's, or what the codes decode
to without one. In bfloat16 and in the dtype of the model.]],
  applies = dense.applies,
  doses = { "module", "layer" },
  variants = dense.dtypes,
  mutate = function(mutant, dose, variant)
    dense.replace(mutant, mutant:doses(dose), variant.dtype)
  end,
}
