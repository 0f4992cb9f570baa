-- bitsandbytes: 4-bit (nf4, fp4, nested or not) and LLM.int8().
--
-- Source: transformers 5.17, utils/quantization_config.py BitsAndBytesConfig and
-- integrations/bitsandbytes.py replace_with_bnb_linear.

local blockwise4 = require "qspec.layouts.bnb_blockwise4"
local exclusion_lists = require "qspec.exclusion_lists"
local rowwise8 = require "qspec.layouts.bnb_rowwise8"
local quantizer = require "qspec.layouts.bnb_quantizer"

local M = {
  name = "bitsandbytes",
  summary = "4-bit blocks (nf4, fp4, double quantization) and LLM.int8() rows",
  methods = { "bitsandbytes", "bitsandbytes_4bit", "bitsandbytes_8bit" },
  layouts = { blockwise4, rowwise8 },
  fallbacks = {
    "both load_in_4bit and load_in_8bit false: transformers loads the model dense with a warning",
    "only modules of exactly class Linear or Conv1D are replaced; subclasses stay dense in silence",
    "experts stored as one 3-D parameter stay dense in silence",
    "a user's skip list replaces the defaults: lm_head is then quantized unless it is listed",
    "a weight without any companion loads as raw bytes",
    "bnb_4bit_quant_type in the config is not checked against the tensors' own quant_state",
  },
}

local DTYPES = { "float16", "bfloat16", "float32", "float64" }
local STORAGE = { "uint8", "int8", "float16", "bfloat16", "float32", "float64" }

--- How it is told to leave modules alone.
M.exclude = exclusion_lists.field "llm_int8_skip_modules"

--- The fields of quantization_config, in the order in which transformers writes them.
M.fields = {
  { name = "_load_in_4bit", type = "boolean", alias_of = "load_in_4bit" },
  { name = "_load_in_8bit", type = "boolean", alias_of = "load_in_8bit" },
  { name = "bnb_4bit_compute_dtype", type = "string", default = "float32", allowed = DTYPES },
  { name = "bnb_4bit_quant_storage", type = "string", default = "uint8", allowed = STORAGE },
  { name = "bnb_4bit_quant_type", type = "string", default = "fp4", allowed = { "fp4", "nf4" } },
  { name = "bnb_4bit_use_double_quant", type = "boolean", default = false },
  { name = "llm_int8_enable_fp32_cpu_offload", type = "boolean", default = false },
  { name = "llm_int8_has_fp16_weight", type = "boolean", default = false },
  { name = "llm_int8_skip_modules", type = "strings", nullable = true },
  { name = "llm_int8_threshold", type = "float", default = 6.0 },
  { name = "load_in_4bit", type = "boolean", default = false },
  { name = "load_in_8bit", type = "boolean", default = false },
  { name = "quant_method", type = "string", default = "bitsandbytes" },
}

local STORED = { uint8 = "U8", int8 = "I8", float16 = "F16", bfloat16 = "BF16", float32 = "F32",
  float64 = "F64" }

local function blocks_of_4_bits(q)
  return { bits = 4, type = q.bnb_4bit_quant_type, layout = blockwise4, class = blockwise4.class,
    storage = q.bnb_4bit_quant_storage, skip = q.llm_int8_skip_modules,
    scheme = { block_size = 64, nested_block = q.bnb_4bit_use_double_quant and 256 or nil,
      storage = STORED[q.bnb_4bit_quant_storage] or "U8" } }
end

--- What a config asks for, in the words of a spec.
---@param q table quantization_config as read by qspec.quantization_config
---@return table {bits?, type?, skip?: string[], problem?: string}
function M.requested(q)
  local skip = q.llm_int8_skip_modules
  if q.load_in_4bit and q.load_in_8bit then
    return { problem = "load_in_4bit and load_in_8bit are both true", skip = skip }
  elseif q.load_in_4bit then
    return blocks_of_4_bits(q)
  elseif q.load_in_8bit then
    return { bits = 8, type = "int8", skip = skip, layout = rowwise8, class = rowwise8.class,
      scheme = {} }
  end
  return { problem = "load_in_4bit and load_in_8bit are both false", skip = skip,
    hint = "transformers loads such a model dense, with a warning only" }
end

local CONVERTED = { Linear = true, Conv1D = true }

--- Whether bitsandbytes would replace this module, exclusions aside. Experts are one parameter in
--- memory, even where a file keeps them apart.
function M.converts(module)
  return CONVERTED[module.class] == true and not module.expert
end

M.quantizer = quantizer

return M
