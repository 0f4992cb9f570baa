-- M24: channels of a norm are scaled, what follows is not scaled back.

local function norms(mutant)
  local rows = {}
  for _, row in ipairs(mutant.genuine.census.modules) do
    if row.kind == "norm" and row.holding.tensors.weight then rows[#rows + 1] = row end
  end
  return rows
end

local FACTORS = { { name = "x 2", factor = 2 }, { name = "x 1.1", factor = 1.1 },
  { name = "x 4096", factor = 4096 } }

-- One channel of the norm, or all of them.
local function scaled(mutant, weight, dose, factor)
  local tensor = require "host.tensor"
  local dtype, wide = weight:dtype(), weight:to("float32")
  if dose == "block" then
    local channel = tensor.arange(1, weight:numel()):eq(mutant.random:below(weight:numel()))
    return channel:where(wide * factor, wide):to(dtype)
  end
  return (wide * factor):to(dtype)
end

return {
  id = "M24",
  name = "half_smooth",
  summary = "channels of a norm are scaled and the weights after it are not scaled back",
  details = [[
Half of what SmoothQuant and AWQ do: norm.weight[c] times a factor, in one channel or all, in one
norm, those of a layer or all. By 4096, activations leave the range of float16.]],
  applies = function(subject)
    for _, row in ipairs(subject.census.modules) do
      if row.kind == "norm" and row.holding.tensors.weight then return true end
    end
    return nil, "no norm has a weight"
  end,
  doses = { "block", "module", "layer", "all" },
  variants = function() return FACTORS end,
  mutate = function(mutant, dose, variant)
    local tensor = require "host.tensor"
    for _, row in ipairs(mutant:doses(dose, norms(mutant))) do
      local entry = row.holding.tensors.weight
      local weight = tensor.read(mutant.genuine.checkpoint, entry.name)
      mutant:store(entry.name, scaled(mutant, weight, dose, variant.factor))
    end
  end,
}
