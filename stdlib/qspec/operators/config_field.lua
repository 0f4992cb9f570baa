-- M18: one field of the config says something else, the tensors are as they were.

local json = require "host.json"

-- What decides how weights are read, in the words of all libraries.
local QUANTIZATION = { "bits", "w_bit", "num_bits", "group_size", "q_group_size", "sym",
  "symmetric", "zero_point", "desc_act", "actorder", "bnb_4bit_quant_type",
  "bnb_4bit_use_double_quant",
  "bnb_4bit_compute_dtype", "bnb_4bit_quant_storage", "load_in_4bit", "load_in_8bit",
  "_load_in_4bit", "_load_in_8bit", "llm_int8_has_fp16_weight", "format", "checkpoint_format",
  "pack_method", "pack_dtype", "block_size", "weight_block_size", "block_structure", "strategy",
  "type", "dynamic", "scale_fmt", "activation_scheme", "quant_method", "version", "dequantize",
  "kv_cache_scheme", "quantization_status", "lm_head" }

-- Of config.json itself: what the arithmetic and the tokens hang on.
local MODEL = { "model_type", "hidden_size", "n_embed", "intermediate_size", "num_hidden_layers",
  "n_layer", "num_attention_heads", "n_head", "num_key_value_heads", "vocab_size", "head_dim",
  "rms_norm_eps", "layer_norm_epsilon", "rope_theta", "hidden_act", "tie_word_embeddings",
  "apply_residual_connection_post_layernorm", "dtype", "torch_dtype", "bos_token_id",
  "eos_token_id", "max_position_embeddings", "sliding_window", "use_sliding_window", "rope_type",
  "factor" }

local OTHER_TEXT = { nf4 = "fp4", fp4 = "nf4", float16 = "float32", bfloat16 = "float16",
  float32 = "float16", uint8 = "float16", gptq = "gptq_v2", gptq_v2 = "gptq", gemm = "gemv",
  gemv = "gemm", group = "channel", channel = "group", block = "tensor", int = "float",
  float = "int", dynamic = "static", static = "dynamic", silu = "gelu", gelu = "silu",
  int32 = "int16", ["pack-quantized"] = "int-quantized", ["int-quantized"] = "pack-quantized",
  ["float-quantized"] = "int-quantized", ["mxfp4-pack-quantized"] = "nvfp4-pack-quantized",
  ["nvfp4-pack-quantized"] = "mxfp4-pack-quantized", bitsandbytes = "gptq",
  awq = "gptq", fp8 = "fbgemm_fp8", ["compressed-tensors"] = "fp8", torchao = "quanto" }

local function other(value)
  if type(value) == "boolean" then return not value end
  if type(value) == "number" then
    return value == 0 and 1 or value % 1 == 0 and value * 2 or value * 1000
  end
  if type(value) == "string" then return OTHER_TEXT[value] or value .. "x" end
  if json.is_array(value) and type(value[1]) == "number" then
    local list = { unpack(value) }
    list[1] = list[1] * 2
    return json.array(list)
  end
end

local function as_set(list)
  local set = {}
  for _, name in ipairs(list) do set[name] = true end
  return set
end

local APART = { meta = true, quantization_config = true }

-- Paths of the fields of an object, and of those within it, that are in a set and can be changed.
local function paths_of(object, names, prefix, list)
  for _, key in ipairs(json.keys(object)) do
    local value = object[key]
    local path = prefix == "" and key or prefix .. "." .. key
    if names[key] and other(value) ~= nil then
      list[#list + 1] = path
    elseif type(value) == "table" and not json.is_array(value) and not APART[key] then
      paths_of(value, names, path, list)
    end
  end
  return list
end

local function at(object, path)
  local stem, key = path:match("^(.*)%.([^.]+)$")
  for name in (stem or ""):gmatch("[^.]+") do object = object and object[name] end
  return object, key or path
end

local function change(object, path)
  local holder, key = at(object, path)
  if not holder or holder[key] == nil then return false end
  local changed = other(holder[key])
  if changed == nil then return false end
  holder[key] = changed
  return true
end

-- Half the bits in twice the group: the shapes of the tensors stay those of the config.
local function regroup(config)
  if not (config.bits and config.group_size and config.group_size > 0) then return false end
  config.bits, config.group_size = config.bits / 2, config.group_size * 2
  return true
end

local function variants(subject)
  local list = {}
  for _, path in ipairs(paths_of(subject.quantization or {}, as_set(QUANTIZATION), "", {})) do
    list[#list + 1] = { name = "quantization_config." .. path, path = path }
  end
  local q = subject.quantization or {}
  if q.bits and q.group_size then
    list[#list + 1] = { name = "half the bits, twice the group", edit = regroup }
  end
  for _, path in ipairs(paths_of(subject.raw, as_set(MODEL), "", {})) do
    list[#list + 1] = { name = path, path = path, of_model = true }
  end
  return list
end

return {
  id = "M18",
  name = "config_field",
  summary = "one field of the config is changed, the tensors are as they were",
  details = [[
Every field that says how weights are packed (of quantization_config, and of the library's own file
where there is one) or how the model computes gets another value: a flag the opposite, a number
doubled, a text one of the same kind. And (bits, group) becomes (bits / 2, 2 * group), which no
shape of a tensor contradicts.]],
  applies = function(subject)
    if subject.gguf then return nil, "a GGUF file has no config.json" end
    return true
  end,
  doses = { "once" },
  variants = variants,
  mutate = function(mutant, _, variant)
    if variant.of_model then
      return mutant:edit_config(function(config) change(config, variant.path) end)
    end
    return mutant:edit_quantization(function(config)
      if variant.edit then return variant.edit(config) end
      return change(config, variant.path) or nil
    end) == true
  end,
  equivalent = "nothing that is computed hangs on this field in this checkpoint",
}
