-- FP-Quant: mxfp4 and nvfp4 over Hadamard-rotated columns.
--
-- Source: transformers 5.17, utils/quantization_config.py FPQuantConfig,
-- quantizers/quantizer_fp_quant.py and integrations/fp_quant.py.

local blocks = require "qspec.layouts.fp_quant_blocks"
local exclusion_lists = require "qspec.exclusion_lists"
local json = require "host.json"

local M = {
  name = "fp_quant",
  summary = "mxfp4 and nvfp4 over Hadamard-rotated columns",
  methods = { "fp_quant" },
  layouts = { blocks },
  fallbacks = {
    "transformers forces bfloat16, whatever the config's dtype is",
  },
}

local BACKWARD = { "bf16", "mxfp8", "mxfp4" }

--- How it is told to leave modules alone.
M.exclude = exclusion_lists.field "modules_to_not_convert"

M.fields = {
  { name = "backward_dtype", type = "string", default = "bf16", allowed = BACKWARD },
  { name = "forward_dtype", type = "string", default = "nvfp4", allowed = { "mxfp4", "nvfp4" } },
  { name = "forward_method", type = "string", default = "abs_max",
    allowed = { "abs_max", "quest" } },
  { name = "hadamard_group_size", type = "integer", nullable = true },
  { name = "modules_to_not_convert", type = "strings", default = json.array { "lm_head" } },
  { name = "pseudoquantization", type = "boolean", default = false },
  { name = "quant_method", type = "string", default = "fp_quant" },
  { name = "store_master_weights", type = "boolean", default = false },
  { name = "transform_init", type = "string", default = "hadamard",
    allowed = { "hadamard", "identity", "gsr" } },
}

--- The size of the rotation depends on the dtype unless it is given.
function M.normalize(values)
  if values.hadamard_group_size == nil then
    values.hadamard_group_size = values.forward_dtype == "nvfp4" and 16 or 32
  end
end

local function storage_of(q)
  if q.store_master_weights == true then return "master" end
  return q.pseudoquantization == true and "pseudo" or "packed"
end

--- What a config asks for.
function M.requested(q)
  local mode, rotation = q.forward_dtype, q.hadamard_group_size
  local is_rotation = rotation == 16 and mode == "nvfp4" or rotation == 32 or rotation == 64
    or rotation == 128
  if mode ~= "mxfp4" and mode ~= "nvfp4" or not is_rotation then
    return { problem = ("forward_dtype '%s', hadamard_group_size %s"):format(tostring(mode),
      tostring(rotation)), skip = q.modules_to_not_convert }
  end
  return { bits = 4, type = "float4_e2m1", class = blocks.class, layout = blocks,
    skip = q.modules_to_not_convert,
    scheme = { bits = 4, mode = mode, storage = storage_of(q), rotation = rotation } }
end

function M.converts(module)
  return module.class == "Linear"
end

return M
