-- NVIDIA ModelOpt's exports for TensorRT-LLM, vLLM and SGLang; transformers reads none of them.
--
-- Source: ModelOpt 0.47, torch/export/quant_utils.py (process_layer_quant_config) and
-- convert_hf_config.py. The config is hf_quant_config.json, or a quantization_config made of it.

local block_grid = require "qspec.layouts.block_grid"
local exclusion_lists = require "qspec.exclusion_lists"
local experts = require "qspec.experts"
local glob = require "qspec.glob"
local holdings = require "qspec.holdings"
local json = require "host.json"
local modelopt_weight = require "qspec.layouts.modelopt_weight"
local nearest = require "qspec.nearest"
local requests = require "qspec.requests"

local M = {
  name = "modelopt",
  summary = "NVIDIA ModelOpt: FP8, NVFP4, MXFP8, AWQ and mixtures of them",
  methods = { "modelopt", "modelopt_fp4", "modelopt_mixed" },
  layouts = { modelopt_weight },
  keeps_unknown_keys = true,
  fallbacks = {
    "transformers does not know the method: it warns and loads the codes as dense weights",
    "engines take 1.0 for an input_scale, k_scale or v_scale that is missing",
    "a name in exclude_modules that no module has protects nothing",
    "under MIXED_PRECISION a layer that quantized_layers leaves out is read as dense",
  },
}

local TEXTS = { "object", "string" }

--- The entries of quant_cfg that switch the quantizers of a module off; of an export, names.
function M.exclude(names, subject, is_own)
  local parts = {}
  for i, name in ipairs(names) do
    parts[i] = ('{"quantizer_name": %s, "enable": False}'):format(
      exclusion_lists.quoted { name .. ".*" }:sub(2, -2))
  end
  local before = is_own and subject.quantization_values.ignore or { subject.architecture.output }
  return { text = "quant_cfg += [" .. table.concat(parts, ", ") .. "]",
    config = { ignore = exclusion_lists.joined(names, before) } }
end

--- The fields of quantization_config; those of hf_quant_config.json are their second names.
M.fields = {
  { name = "config_groups", type = "object" },
  { name = "exclude_modules", type = "strings", nullable = true, alias_of = "ignore" },
  { name = "group_size", type = "integer", nullable = true },
  { name = "has_zero_point", type = "boolean" },
  { name = "ignore", type = "strings", nullable = true },
  { name = "kv_cache_quant_algo", type = "string", nullable = true },
  { name = "kv_cache_scheme", type = TEXTS, nullable = true },
  { name = "pre_quant_scale", type = "boolean" },
  { name = "producer", type = "object" },
  { name = "quant_algo", type = "string", nullable = true },
  { name = "quant_method", type = "string", default = "modelopt" },
  { name = "quantized_layers", type = "object" },
}

-- The layout's kind of each algorithm; whether every weight needs the scale of its inputs, or a
-- second scale; whether norms take up factors; the group where it is not the kind's.
local ALGORITHMS = {
  FP8 = { kind = "fp8", inputs = "static" },
  FP8_PER_CHANNEL_PER_TOKEN = { kind = "fp8_rows" },
  FP8_PB_WO = { kind = "fp8_blocks" },
  FP8_PB_REAL = { kind = "fp8_blocks" },
  MXFP8 = { kind = "mxfp8" },
  NVFP4 = { kind = "nvfp4", inputs = "static" },
  W4A16_NVFP4 = { kind = "nvfp4" },
  W4A8_NVFP4_FP8 = { kind = "nvfp4", group = 32 },
  NVFP4_AWQ = { kind = "nvfp4", rescales = true },
  NVFP4_SVD = { kind = "nvfp4", rescales = true },
  MXFP4 = { kind = "mxfp4" },
  W4A8_MXFP4_FP8 = { kind = "mxfp4" },
  W4A16_AWQ = { kind = "int4", rescales = true },
  W4A8_AWQ = { kind = "int4", inputs = "static", second = true, rescales = true },
  W8A16 = { kind = "int8" },
  W8A8_SQ_PER_CHANNEL = { kind = "int8", rescales = true },
}

local KIND_TYPE = { fp8 = "float8_e4m3", fp8_rows = "float8_e4m3", fp8_blocks = "float8_e4m3",
  mxfp8 = "mxfp8", nvfp4 = "nvfp4", mxfp4 = "mxfp4", int4 = "int4", int8 = "int8" }
local KIND_BITS = { nvfp4 = 4, mxfp4 = 4, int4 = 4 }
local KIND_GROUP = { fp8_blocks = 128, mxfp8 = 32, nvfp4 = 16, mxfp4 = 32, int4 = 128 }

--- hf_quant_config.json as a quantization_config.
M.files = {
  ["hf_quant_config.json"] = function(raw, kinds)
    local section = raw.quantization
    if type(section) ~= "table" or json.is_array(section) then return nil end
    local section_kinds = type(kinds.quantization) == "table" and kinds.quantization or {}
    local translated = { quant_method = "modelopt", producer = raw.producer }
    local translated_kinds = { quant_method = "string", producer = kinds.producer }
    for key, value in pairs(section) do
      translated[key], translated_kinds[key] = value, section_kinds[key]
    end
    return translated, translated_kinds
  end,
}

local function names_of(map)
  local names = {}
  for name in pairs(map) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- A group size that a weight can have; hostile ones are findings of the check `config`.
local function group_of(value, entry)
  return block_grid.is_size(value) and value or entry.group or KIND_GROUP[entry.kind]
end

-- What an algorithm asks of a weight; nil and the reason for one that does not exist.
local function request_of(algorithm, group_size)
  local entry = type(algorithm) == "string" and ALGORITHMS[algorithm:upper()]
  if not entry then
    local close = nearest(tostring(algorithm), names_of(ALGORITHMS))
    return nil, close and ("did you mean '%s'?"):format(close) or nil
  end
  local kind = entry.kind
  local group = KIND_GROUP[kind] and group_of(group_size, entry)
  return { bits = KIND_BITS[kind] or 8, type = KIND_TYPE[kind], class = "Linear",
    layout = modelopt_weight, group_size = group,
    rescales = entry.rescales, scheme = { kind = kind, group_size = group,
      inputs = entry.inputs, second = entry.second, rescales = entry.rescales } }
end

local function mixed(q, skip)
  if type(q.quantized_layers) ~= "table" or next(q.quantized_layers) == nil then
    return { problem = "MIXED_PRECISION without quantized_layers", skip = skip }
  end
  return { type = "mixed", layout = modelopt_weight, layers = q.quantized_layers, skip = skip }
end

--- What a config asks for.
---@param q table quantization_config as read by qspec.quantization_config
function M.requested(q)
  local skip = q.ignore or {}
  if q.quant_algo == "MIXED_PRECISION" then return mixed(q, skip) end
  if q.quant_algo == nil then
    return { problem = "no quant_algo", skip = skip,
      hint = q.kv_cache_quant_algo and "the KV cache alone is quantized" or nil }
  end
  local asked, hint = request_of(q.quant_algo, q.group_size)
  if not asked then
    return { problem = ("quant_algo '%s'"):format(tostring(q.quant_algo)), hint = hint,
      skip = skip }
  end
  asked.skip = skip
  return asked
end

--- Linear modules, the projections of experts among them.
function M.converts(module)
  return module.kind == "linear" and module.class:find("Linear$") ~= nil or module.kind == "experts"
end

local function matcher(pattern)
  local compiled, matches = pcall(glob.compile, pattern)
  return compiled and matches or function(name) return name == pattern end
end

-- Names are those of the files, which transformers may rename.
local function exclusions_of(architecture, skip)
  local list = {}
  for i, pattern in ipairs(skip) do
    list[i] = { key = pattern, source = "config",
      matches = matcher(holdings.renamed(architecture, pattern)) }
  end
  return list
end

local function renamed_layers(architecture, layers)
  local names = {}
  for name, entry in pairs(layers) do names[holdings.renamed(architecture, name)] = entry end
  return names
end

-- Of MIXED_PRECISION: the entry of the module, or of the experts that it lies in.
local function entry_of(layers, module)
  local entry = layers[module.name] or layers[experts.container(module.name) or module.name]
  if type(entry) == "string" then return { quant_algo = entry } end
  return type(entry) == "table" and entry or nil
end

local function request_of_layer(layers, module)
  local entry = entry_of(layers, module)
  if not entry then return nil, "not in quantized_layers" end
  local asked = request_of(entry.quant_algo, entry.group_size)
  if not asked then
    return nil, ("quantized_layers asks for '%s', which does not exist"):format(
      tostring(entry.quant_algo))
  end
  return asked
end

--- The request of each module: names and globs protect, as fnmatch has them.
function M.requests(model)
  local asked = model.requested
  if not asked.layout then return requests.unjudged(model, asked.skip) end
  local in_force = exclusions_of(model.architecture, asked.skip)
  local layers = asked.layers and renamed_layers(model.architecture, asked.layers)
  local function of(module)
    if not M.converts(module) then return nil, nil end
    for _, exclusion in ipairs(in_force) do
      if exclusion.matches(module.name) then
        return nil, ("excluded by '%s' (config)"):format(exclusion.key)
      end
    end
    if layers then return request_of_layer(layers, module) end
    return asked
  end
  return { exclusions = in_force, judged = true, of = of }
end

return M
