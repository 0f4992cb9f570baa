-- What compressed-tensors' config says of activations, held against what it says of the weights.
--
-- Source: compressed-tensors 0.20, quantization/quant_scheme.py (the presets) and
-- lifecycle/forward.py. The library takes any pair of arguments; what multiplies the two takes
-- codes of one kind.

local M = {}

local function named(args)
  return ("%s of %d bits%s"):format(args.type, args.bits, args.symmetric and "" or ", asymmetric")
end

-- Why activations of these codes go with no weights of those. Weights of few bits are decoded to
-- whatever the activations are (W4AFP8, W4A8).
local function mismatch(inputs, weights)
  local are_decoded = weights.bits < 8 and inputs.bits == 8
  if inputs.type ~= weights.type and not are_decoded then
    return named(weights) .. " as the weights are"
  elseif inputs.bits ~= 4 and inputs.bits ~= 8 then
    return "4 or 8 bits"
  elseif inputs.type == "float" and not inputs.symmetric then
    return "symmetric: a float has no zero point"
  end
end

--- Findings of a group whose activations cannot be multiplied by its weights.
---@param group table {name, inputs?: qspec.CtArgs, weights?: qspec.CtArgs}
---@return table[] findings {key, found, wanted, hint}
function M.problems(group)
  local inputs, weights, list = group.inputs, group.weights, {}
  if not (inputs and weights) then return list end
  local key = ("config_groups.%s.input_activations"):format(group.name)
  local wanted = mismatch(inputs, weights)
  if wanted then
    list[1] = { key = key, found = named(inputs), wanted = wanted,
      hint = "no kernel multiplies these codes: the activations are left as they are, or refused" }
  end
  local width = weights.block and weights.block[2]
  if width and inputs.group_size and inputs.group_size ~= width then
    list[#list + 1] = { key = key .. ".group_size", found = tostring(inputs.group_size),
      wanted = ("%d, the columns of a block of weights"):format(width),
      hint = "a kernel multiplies blocks by groups of one width" }
  end
  return list
end

return M
