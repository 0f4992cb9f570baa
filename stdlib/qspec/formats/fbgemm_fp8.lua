-- FBGEMM's fp8: e4m3 rows with one float32 scale each; activations are quantized at run time.
--
-- Source: transformers 5.17, utils/quantization_config.py FbgemmFp8Config,
-- quantizers/quantizer_fbgemm_fp8.py and integrations/fbgemm_fp8.py (FbgemmFp8Linear).

local exclusion_lists = require "qspec.exclusion_lists"
local fp8_scaled = require "qspec.layouts.fp8_scaled"

local FLOATS = { "F32", "BF16", "F16" }

-- Biases become float32; the bound of the activations' scale is a buffer that no file holds.
local function extra(module)
  local bound = { suffix = "input_scale_ub", dtype = "F32", shape = { 1 }, role = "buffer",
    made = true, loaded = "float32" }
  if not module.bias then return { bound } end
  return { bound, { suffix = "bias", dtype = FLOATS, shape = { module.shape[1] },
    loaded = "float32" } }
end

local layout = fp8_scaled.layout {
  name = "fbgemm-fp8",
  summary = "e4m3 codes with one scale a row, as FBGEMM writes them",
  class = "FbgemmFp8Linear",
  granularity = "row",
  extra = extra,
}

local M = {
  name = "fbgemm_fp8",
  summary = "FBGEMM's fp8: e4m3 codes, one scale a row",
  methods = { "fbgemm_fp8" },
  layouts = { layout },
  fallbacks = {
    "the model's dtype becomes bfloat16, whatever the config says",
    "experts other than Llama4's stay dense in silence",
    "a dense weight where the config asks for fp8 is cast to e4m3 unscaled",
  },
}

--- How it is told to leave modules alone.
M.exclude = exclusion_lists.field "modules_to_not_convert"

--- The fields of quantization_config, in the order in which transformers writes them.
M.fields = {
  { name = "activation_scale_ub", type = "number", default = 1200.0 },
  { name = "modules_to_not_convert", type = "strings", nullable = true },
  { name = "quant_method", type = "string", default = "fbgemm_fp8" },
}

--- What a config asks for.
---@param q table quantization_config as read by qspec.quantization_config
function M.requested(q)
  return { bits = 8, type = "float8_e4m3", class = layout.class, layout = layout,
    skip = q.modules_to_not_convert, scheme = {} }
end

--- Every linear module, subclasses too: the library asks isinstance.
function M.converts(module)
  return module.kind == "linear" and module.class:find("Linear$") ~= nil
end

--- The dtype that transformers loads the model in.
function M.update_dtype()
  return "bfloat16"
end

return M
