-- Quantizes a full-precision checkpoint the way bitsandbytes does, in memory.
--
-- Source: bitsandbytes 0.50.2 functional.py quantize_4bit (block 64, nested block 256, offset the
-- fp32 mean of absmax) and nn/modules.py Int8Params; values equal to those it writes on a GPU, but
-- for elements within 2 ulp of a threshold, where the GPU's reciprocal is approximate.

local json = require "host.json"
local codebooks = require "qspec.layouts.bnb_codebooks"

local M = {}

local BLOCK_SIZE = 64
local NESTED_BLOCK = 256

--- Options of `quantize = bitsandbytes { ... }` in a spec.
M.params = {
  bits = { type = "integer", allowed = { 4, 8 }, default = 4, help = "4 or 8" },
  type = { type = "string", allowed = { "fp4", "nf4" }, default = "fp4",
    help = "4-bit codebook; fp4 is transformers' default" },
  double_quant = { type = "boolean", default = false, help = "quantize absmax too" },
  compute_dtype = { type = "string", default = "float32",
    help = "dtype of the products; float32 is transformers' default" },
  threshold = { type = "number", default = 6.0, help = "LLM.int8() outlier threshold" },
  skip_modules = { type = "list", list_of = "string",
    help = "llm_int8_skip_modules; replaces the defaults" },
}

--- The quantization_config that transformers would save for these options.
function M.config(options)
  local four = options.bits == 4
  return {
    _load_in_4bit = four, _load_in_8bit = not four,
    bnb_4bit_compute_dtype = options.compute_dtype,
    bnb_4bit_quant_storage = "uint8",
    bnb_4bit_quant_type = options.type,
    bnb_4bit_use_double_quant = options.double_quant,
    llm_int8_enable_fp32_cpu_offload = false,
    llm_int8_has_fp16_weight = false,
    llm_int8_skip_modules = options.skip_modules and json.array(options.skip_modules) or json.null,
    llm_int8_threshold = options.threshold,
    load_in_4bit = four, load_in_8bit = not four,
    quant_method = "bitsandbytes",
  }
end

--- The options that give what a stored weight has.
---@param scheme table of the layout
function M.options_of(scheme)
  return { bits = scheme.bits, type = scheme.type, double_quant = scheme.nested_block ~= nil,
    threshold = 6.0 }
end

local function state_text(options, weight, nested_offset)
  local shape = weight:shape()
  local fields = {
    ('"quant_type": "%s"'):format(options.type), ('"blocksize": %d'):format(BLOCK_SIZE),
    ('"dtype": "%s"'):format(weight:dtype()), ('"shape": [%d, %d]'):format(shape[1], shape[2]),
  }
  if nested_offset then
    fields[#fields + 1] = ('"nested_blocksize": %d'):format(NESTED_BLOCK)
    fields[#fields + 1] = '"nested_dtype": "float32"'
    fields[#fields + 1] = ('"nested_offset": %.17g'):format(nested_offset)
  end
  return "{" .. table.concat(fields, ", ") .. "}"
end

local function store_nested(tensor, overlay, name, absmax)
  local offset = absmax:mean()
  local codebook = tensor.dynamic_codebook()
  local nested = tensor.quantize_codebook8(absmax - offset, codebook, NESTED_BLOCK)
  tensor.store(overlay, name .. ".weight.absmax", nested.codes)
  tensor.store(overlay, name .. ".weight.nested_absmax", nested.absmax)
  tensor.store(overlay, name .. ".weight.nested_quant_map", codebook)
  return offset
end

local function quantize4(tensor, overlay, name, weight, options)
  local book = codebooks[options.type]
  local packed = tensor.quantize_codebook4(weight, {
    thresholds = book.rule.thresholds, magnitude = book.rule.magnitude, codes = book.rule.codes,
    block_size = BLOCK_SIZE,
  })
  tensor.store(overlay, name .. ".weight", packed.packed)
  local offset
  if options.double_quant then
    offset = store_nested(tensor, overlay, name, packed.absmax)
  else
    tensor.store(overlay, name .. ".weight.absmax", packed.absmax)
  end
  tensor.store(overlay, name .. ".weight.quant_map", tensor.from(book.values, "float32"))
  local text = state_text(options, weight, offset)
  overlay:put(name .. ".weight.quant_state.bitsandbytes__" .. options.type, "U8", { #text }, text)
end

local function quantize8(tensor, overlay, name, weight)
  local quantized = tensor.quantize_rowwise_int8(weight)
  tensor.store(overlay, name .. ".weight", quantized.codes)
  tensor.store(overlay, name .. ".SCB", quantized.absmax)
  overlay:put(name .. ".weight_format", "U8", {}, "\0")
end

--- Replaces one dense weight of the overlay by what bitsandbytes would store.
---@param overlay any host.checkpoint overlay
---@param entry table the entry of the dense weight, named "<module>.weight"
---@param options table checked params
function M.quantize(overlay, entry, options)
  local tensor = require "host.tensor"
  local name = entry.name:gsub("%.weight$", "")
  local weight = tensor.read(overlay, entry.name)
  if options.bits == 4 then
    quantize4(tensor, overlay, name, weight, options)
  else
    quantize8(tensor, overlay, name, weight)
  end
  weight:release()  -- it may hold room that the next ones wait for
end

return M
