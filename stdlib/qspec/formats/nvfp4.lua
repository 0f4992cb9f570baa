-- transformers' own nvfp4: quantizes while it loads, and neither saves nor reads what it made.
--
-- Source: transformers 5.17, utils/quantization_config.py NVFP4Config and
-- quantizers/quantizer_nvfp4.py. NVFP4 checkpoints on disk are ModelOpt's or compressed-tensors'.

local M = {
  name = "nvfp4",
  summary = "transformers' on-the-fly NVFP4; a checkpoint that names it cannot be loaded",
  methods = { "nvfp4" },
  layouts = {},
  fallbacks = {
    "a linear with a bias, or whose sizes 16 does not divide, stays dense without a word",
    "save_pretrained raises a TypeError: the quantizer's is_serializable is no function",
  },
}

--- The fields of quantization_config, in the order in which transformers writes them.
M.fields = {
  { name = "modules_to_not_convert", type = "strings", nullable = true },
  { name = "quant_method", type = "string", default = "nvfp4" },
}

--- What a config asks for: nothing that a checkpoint could hold.
---@param q table quantization_config as read by qspec.quantization_config
function M.requested(q)
  return { skip = q.modules_to_not_convert, type = "nvfp4",
    problem = "quant_method nvfp4 in a checkpoint",
    hint = "transformers raises: loading pre-quantized NVFP4 checkpoints is not supported" }
end

return M
