-- MXFP4 of gpt-oss: the experts alone are quantized.
--
-- Source: transformers 5.17, utils/quantization_config.py Mxfp4Config,
-- quantizers/quantizer_mxfp4.py and integrations/mxfp4.py replace_with_mxfp4_linear.

local experts = require "qspec.experts"
local mxfp4_experts = require "qspec.layouts.mxfp4_experts"

local M = {
  name = "mxfp4",
  summary = "gpt-oss: e2m1 experts with one exponent byte for 32",
  methods = { "mxfp4" },
  layouts = { mxfp4_experts },
  fallbacks = {
    "without a GPU of compute capability 7.5, triton 3.4 and kernels, transformers decodes the "
      .. "whole model to bfloat16; on the CPU also without use_kernels",
    "only modules of class GptOssExperts are quantized: other models stay dense, with a warning",
    "save_pretrained assumes 90 groups in a row, as gpt-oss of 2880 columns has",
    "dequantize is not written back to the config",
  },
}

--- The fields of quantization_config, in the order in which transformers writes them.
M.fields = {
  { name = "dequantize", type = "boolean", saved = false },
  { name = "modules_to_not_convert", type = "strings", nullable = true },
  { name = "quant_method", type = "string", default = "mxfp4" },
}

--- What a config asks for.
---@param q table quantization_config as read by qspec.quantization_config
function M.requested(q)
  return { bits = 4, type = "mxfp4", class = mxfp4_experts.class, layout = mxfp4_experts,
    skip = q.modules_to_not_convert, group_size = 32, scheme = {} }
end

--- The experts of gpt-oss and nothing else.
function M.converts(module)
  return module.class == "GptOssExperts"
end

-- The biases of converted experts, parameters beside their projections, are kept in float32.
local function float32_biases(model, of)
  local converted = {}
  for _, module in ipairs(model.modules) do
    if module.kind == "experts" and of(module) then converted[module.name .. "_bias"] = true end
  end
  return function(module) return converted[module.name] and "float32" or nil end
end

--- The request of each module.
function M.requests(model)
  local asked = model.requested
  local listed = experts.requests(model, asked.skip, function() return asked end)
  listed.dtype_of = float32_biases(model, listed.of)
  return listed
end

return M
