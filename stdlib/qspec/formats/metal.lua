-- transformers' own Metal format for Apple machines.
--
-- Source: transformers 5.17, utils/quantization_config.py MetalConfig,
-- quantizers/quantizer_metal.py and integrations/metal_quantization.py.

local small_values = require "qspec.layouts.small_values"
local words = require "qspec.layouts.metal_words"

local M = {
  name = "metal",
  summary = "affine codes in 32-bit words for Apple's Metal kernels",
  methods = { "metal" },
  layouts = { words },
  fallbacks = {
    "without Apple's Metal, transformers decodes the whole model to the dtype of the scales",
    "dequantize: true in the config decodes it everywhere, and is lost when the model is saved",
  },
}

M.fields = {
  { name = "bits", type = "integer", default = 4, allowed = { 2, 4, 8 } },
  { name = "dequantize", type = "boolean", default = false, saved = false },
  { name = "group_size", type = "integer", default = 64 },
  { name = "modules_to_not_convert", type = "strings", nullable = true },
  { name = "quant_method", type = "string", default = "metal" },
}

local BITS = { [2] = true, [4] = true, [8] = true }

--- What a config asks for.
function M.requested(q)
  local problem, hint
  if not BITS[q.bits] then
    problem, hint = ("bits %s"):format(tostring(q.bits)), "transformers wants 2, 4 or 8"
  elseif not small_values.is_count(q.group_size) then
    problem, hint = ("group_size %s"):format(tostring(q.group_size)),
      "transformers wants a whole number above 0"
  elseif q.dequantize == true then
    problem, hint = "dequantize is true", "transformers decodes every weight on load"
  end
  if problem then return { problem = problem, hint = hint, skip = q.modules_to_not_convert } end
  return { bits = q.bits, type = "uint" .. q.bits, class = words.class, layout = words,
    group_size = q.group_size, skip = q.modules_to_not_convert,
    scheme = { bits = q.bits, group_size = q.group_size } }
end

function M.converts(module)
  return module.class == "Linear"
end

return M
