-- The fields that GPTQ's config class and AWQ's, which is derived from it, have in common.
--
-- Source: transformers 5.17, utils/quantization_config.py GPTQConfig and AwqConfig; GPTQModel 7.7
-- and AutoGPTQ 0.7 for the keys that transformers drops.

local M = {}

--- What the class itself knows, but for quant_method and the name of the format.
local KNOWN = {
  { name = "act_group_aware", type = "boolean", default = true },
  { name = "backend", type = "string", default = "auto" },
  { name = "batch_size", type = "integer", default = 1 },
  { name = "block_name_to_quantize", type = "string", nullable = true },
  { name = "cache_block_outputs", type = "boolean", default = true },
  { name = "damp_percent", type = "number", default = 0.1 },
  { name = "dataset", type = { "string", "strings" }, nullable = true },
  { name = "desc_act", type = "boolean", default = false },
  { name = "group_size", type = "integer", default = 128 },
  { name = "max_input_length", type = "integer", nullable = true },
  { name = "meta", type = "object", nullable = true },
  { name = "model_seqlen", type = "integer", nullable = true },
  { name = "module_name_preceding_first_block", type = "strings", nullable = true },
  { name = "modules_in_block_to_quantize", type = "array", nullable = true },
  { name = "pad_token_id", type = "integer", nullable = true },
  { name = "sym", type = "boolean", default = true },
  { name = "tokenizer", type = "any", nullable = true },
  { name = "true_sequential", type = "boolean", default = true },
}

-- Settings of quantizing and of kernels: nothing is lost with them.
local DROPPED = {
  { name = "damp_auto_increment", type = "number", nullable = true },
  { name = "disable_exllama", type = "boolean", nullable = true },
  { name = "exllama_config", type = "object", nullable = true },
  { name = "is_marlin_format", type = "boolean", nullable = true },
  { name = "lm_head", type = "boolean", nullable = true },
  { name = "method", type = "string", nullable = true },
  { name = "model_file_base_name", type = "string", nullable = true },
  { name = "model_name_or_path", type = "string", nullable = true },
  { name = "mse", type = "number", nullable = true },
  { name = "pack_dtype", type = "string", nullable = true },
  { name = "quantizer", type = "string", nullable = true },
  { name = "static_groups", type = "boolean", nullable = true },
  { name = "use_cuda_fp16", type = "boolean", nullable = true },
  { name = "use_exllama", type = "boolean", nullable = true },
}

--- All of them and a format's own.
---@param own table[]
---@return table[] fields sorted by name
function M.fields(own)
  local list = { { name = "dynamic", type = "object", nullable = true, saved = false } }
  for _, field in ipairs(own) do list[#list + 1] = field end
  for _, field in ipairs(KNOWN) do list[#list + 1] = field end
  for _, field in ipairs(DROPPED) do
    list[#list + 1] = { name = field.name, type = field.type, nullable = true, saved = false,
      harmless = true }
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

--- A text of a config in lower case, as the classes read it; anything else as it is.
function M.lower(value)
  return type(value) == "string" and value:lower() or value
end

--- Whether a group size is one: -1 for one group a row, or a count.
function M.is_group_size(value)
  return value == -1 or require("qspec.layouts.small_values").is_count(value)
end

--- The group size of a weight with so many input features.
function M.group_size(value, in_features)
  return value == -1 and in_features or value
end

return M
