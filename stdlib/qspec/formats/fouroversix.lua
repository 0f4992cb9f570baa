-- Four Over Six: fp4 with adaptive block scales.
--
-- Source: transformers 5.17, utils/quantization_config.py FourOverSixConfig and
-- quantizers/quantizer_fouroversix.py.

local blocks = require "qspec.layouts.fouroversix_blocks"
local json = require "host.json"

local M = {
  name = "fouroversix",
  summary = "fp4 blocks with a choice between two scales",
  methods = { "fouroversix" },
  layouts = { blocks },
  fallbacks = {
    "the library decides which modules it replaces; transformers does not repeat it",
  },
}

local function text(name, default)
  return { name = name, type = "string", default = default, nullable = true }
end

M.fields = {
  text "activation_dtype", text "activation_scale_rule", text("dtype", "nvfp4"),
  text "gradient_dtype", text "gradient_scale_rule",
  { name = "keep_master_weights", type = "boolean", default = false },
  text "matmul_backend",
  { name = "module_config_overrides", type = "object", nullable = true },
  { name = "modules_to_not_convert", type = "strings", default = json.array { "lm_head" },
    nullable = true },
  text("output_dtype", "bfloat16"),
  { name = "quant_method", type = "string", default = "fouroversix" },
  text "quantize_backend", text("scale_rule", "mse"), text "weight_dtype",
  { name = "weight_scale_2d", type = "boolean", default = false },
  text "weight_scale_rule",
}

--- Nothing that could be told module by module: the library decides.
function M.requested(q)
  return { bits = 4, type = "float4_e2m1", skip = q.modules_to_not_convert }
end

return M
