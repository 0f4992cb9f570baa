-- H01: biases are lost, or another module's.

local expert_parts = require "qspec.expert_parts"
local shapes = require "qspec.shapes"

local function with_bias(subject)
  local rows = {}
  for _, row in ipairs(subject.census.modules) do
    if row.own_tensors and row.holding.tensors.bias then rows[#rows + 1] = row end
  end
  return rows
end

local function times(factor)
  return function(bias) return bias:mul(factor) end
end

local function rolled(bias)
  local count = bias:numel()
  return require("host.tensor").cat({ bias:narrow(1, 2, count - 1), bias:narrow(1, 1, 1) }, 1)
end

-- The bias of as many entries that comes before.
local function previous(_, mutant, row)
  local before
  for _, other in ipairs(with_bias(mutant.genuine)) do
    if other == row then break end
    local is_like = shapes.equal(other.holding.tensors.bias.shape, row.holding.tensors.bias.shape)
    before = is_like and other or before
  end
  return before and expert_parts.read(mutant.genuine.checkpoint, before.holding.tensors.bias)
end

local VARIANTS = {
  { name = "0", change = times(0) },
  { name = "negated", change = times(-1) },
  { name = "x 2", change = times(2) },
  { name = "moved by one", change = rolled },
  { name = "the previous module's", change = previous },
}

return {
  id = "H01",
  name = "bias_damage",
  summary = "the biases of modules are 0, of the other sign, doubled, moved or another module's",
  details = [[
The biases of linear modules and norms, which quantizers leave as they are and converters forget:
one module's, those of a layer, or all.]],
  applies = function(subject)
    if subject.gguf then return nil, "of a GGUF file the metadata and the blocks are damaged" end
    if #with_bias(subject) > 0 then return true end
    return nil, "no module has a bias"
  end,
  doses = { "module", "layer", "all" },
  variants = function() return VARIANTS end,
  mutate = function(mutant, dose, variant)
    local changed = false
    for _, row in ipairs(mutant:doses(dose, with_bias(mutant.genuine))) do
      local entry = row.holding.tensors.bias
      local bias = expert_parts.read(mutant.genuine.checkpoint, entry)
      local new = variant.change(bias:to("float32"), mutant, row)
      if new then
        mutant:store(entry.name, new:to(entry.torch_dtype))
        changed = true
      end
    end
    return changed
  end,
}
