-- Fine-grained fp8, as DeepSeek-V3, Qwen3 and transformers itself write it; mxfp8 likewise.
--
-- Source: transformers 5.17, utils/quantization_config.py FineGrainedFP8Config,
-- quantizers/quantizer_finegrained_fp8.py and integrations/finegrained_fp8.py.

local block_grid = require "qspec.layouts.block_grid"
local exclusion_lists = require "qspec.exclusion_lists"
local fp8_blocks = require "qspec.layouts.fp8_blocks"
local fp8_scaled = require "qspec.layouts.fp8_scaled"
local experts = require "qspec.experts"
local holdings = require "qspec.holdings"
local json = require "host.json"
local requests = require "qspec.requests"

local AUTO_FP8 = fp8_scaled.layout {
  name = "fp8-tensor",
  summary = "e4m3 codes with one weight_scale a tensor, as AutoFP8 writes them",
  granularity = "any",
  extra = function()
    return { { suffix = "input_scale", dtype = { "F32", "BF16", "F16" }, shape = {},
      role = "attribute", optional = true } }
  end,
  problems = function()
    return { { key = "weight_scale", found = "a scale by vLLM's and AutoFP8's name",
      wanted = "weight_scale_inv", harmless = true,
      hint = "transformers does not read it: its own scale stays uninitialized" } }
  end,
}

local M = {
  name = "fp8",
  summary = "fine-grained fp8: e4m3 codes with one scale a block, fused experts included",
  methods = { "fp8", "mxfp8" },
  layouts = { fp8_blocks, AUTO_FP8 },
  fallbacks = {
    "without a GPU of compute capability 8.9, transformers decodes the whole model to bfloat16",
    "dequantize: true in the config decodes the whole model on load",
    "a weight without weight_scale_inv loads as raw codes: decoded unscaled, or with a scale that "
      .. "nothing wrote",
    "weight_scale, as AutoFP8 and vLLM name it, is not read; weight_scale_inv stays uninitialized",
    "a dense weight where the config asks for fp8 is cast to e4m3 unscaled",
    "Fp8Quantize leaves weights that the blocks do not divide in bfloat16, inside an FP8Linear",
    "where blocks do not divide, Fp8Dequantize takes other blocks (rows / rows of the grid), or "
      .. "raises when that is no whole number",
    "FineGrainedFP8Config(dequantize=True) given by the user replaces the checkpoint's skip list",
    "float32 scales under scale_fmt ue8m0 are rounded to powers of two on load",
    "an entry of the skip list that names one expert protects none: experts are fused in memory",
  },
}

local SCHEMES = { "dynamic", "static" }
local USUAL_BLOCK = json.array { 128, 128 }

--- How it is told to leave modules alone.
M.exclude = exclusion_lists.field "modules_to_not_convert"

--- The fields of quantization_config, in the order in which transformers writes them. `fmt` is
--- DeepSeek's: transformers neither reads nor keeps it, and the codes are e4m3 without it.
M.fields = {
  { name = "activation_scheme", type = "string", default = "dynamic", allowed = SCHEMES },
  { name = "dequantize", type = "boolean", default = false },
  { name = "fmt", type = "string", allowed = { "e4m3" }, saved = false, harmless = true },
  { name = "ignored_layers", type = "strings", nullable = true,
    alias_of = "modules_to_not_convert", saved = false },
  { name = "modules_to_convert", type = "strings", nullable = true },
  { name = "modules_to_not_convert", type = "strings", nullable = true },
  { name = "quant_method", type = "string", default = "fp8" },
  { name = "scale_fmt", type = "string", default = "float", allowed = { "float", "ue8m0" } },
  { name = "weight_block_size", type = "array", default = USUAL_BLOCK, nullable = true },
}

--- A null list is as good as none, so that the alias counts.
function M.normalize(values)
  values.modules_to_not_convert = values.modules_to_not_convert or values.ignored_layers
  if type(values.activation_scheme) == "string" then
    values.activation_scheme = values.activation_scheme:lower()
  end
end

local function scale_dtype(q)
  if q.quant_method == "mxfp8" then return "bytes" end
  return q.scale_fmt == "ue8m0" and "ue8m0" or "float"
end

local function shown(value)
  return type(value) == "table" and json.encode(value) or tostring(value)
end

-- The block of an mxfp8 config that does not say it is that of the OCP's formats.
local function block_of(q)
  if q.quant_method == "mxfp8" and q.weight_block_size == USUAL_BLOCK then return { 1, 32 } end
  return block_grid.block(q.weight_block_size)
end

--- What a config asks for.
---@param q table quantization_config as read by qspec.quantization_config
function M.requested(q)
  local block = block_of(q)
  if q.weight_block_size ~= nil and not block then
    return { problem = "weight_block_size " .. shown(q.weight_block_size), type = "float8_e4m3",
      skip = q.modules_to_not_convert,
      hint = "transformers wants two positive whole numbers, or null for one scale a tensor" }
  end
  return { bits = 8, type = "float8_e4m3", class = fp8_blocks.class, layout = fp8_blocks,
    skip = q.modules_to_not_convert,
    scheme = { bits = 8, block = block or false, scale_dtype = scale_dtype(q),
      activation = q.activation_scheme } }
end

--- Linear modules of exactly that class, and experts, which are judged by the module they lie in.
function M.converts(module)
  return module.class == "Linear" or module.kind == "experts" or module.class:find("GroupedLinear")
end

-- DeepSeek-V4 keeps its experts in 4 bits and says so outside of the quantization_config.
local function request_of_experts(asked, model)
  local packed = model.raw and model.raw.expert_dtype == "fp4"
  local scheme = { bits = packed and 4 or 8, block = asked.scheme.block,
    scale_dtype = asked.scheme.scale_dtype, activation = asked.scheme.activation }
  if packed then scheme.block = { 1, 32 } end
  return { bits = scheme.bits, type = packed and "float4_e2m1" or asked.type, class = "FP8Experts",
    layout = asked.layout, scheme = scheme }
end

-- A skip list may have the names of older files; transformers renames its entries like theirs.
local function renamed(architecture, skip)
  local names = {}
  for i, name in ipairs(skip) do names[i] = holdings.renamed(architecture, name) end
  return names
end

--- The request of each module.
function M.requests(model)
  local asked = model.requested
  local skip = asked.skip and renamed(model.architecture, asked.skip)
  if not asked.layout then return requests.unjudged(model, skip) end
  local of_experts = request_of_experts(asked, model)
  return experts.requests(model, skip, function(module)
    return module.kind == "experts" and of_experts or asked
  end)
end

return M
