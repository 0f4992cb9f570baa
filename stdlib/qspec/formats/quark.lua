-- AMD Quark.
--
-- Source: transformers 5.17, utils/quantization_config.py QuarkConfig and
-- quantizers/quantizer_quark.py; amd-quark 0.13, torch/quantization/config/config.py: one for
-- all layers, others by pattern, and a list of patterns (fnmatch) to leave alone.

local exclusion_lists = require "qspec.exclusion_lists"
local glob = require "qspec.glob"
local json = require "host.json"
local requests = require "qspec.requests"
local small_values = require "qspec.layouts.small_values"
local weight = require "qspec.layouts.quark_weight"

local M = {
  name = "quark",
  summary = "AMD Quark's float8, int8, 4-bit and mxfp4 weights",
  methods = { "quark" },
  layouts = { weight },
  fallbacks = {
    "a layer whose config has no weight spec stays dense",
    "pack_method in the config decides the order of 4-bit codes; nothing in the file repeats it",
  },
}

--- Names with wildcards.
function M.exclude(names, subject, is_own)
  local before = is_own and subject.quantization_values.exclude or { subject.architecture.output }
  local list = exclusion_lists.joined(names, before)
  return { text = "exclude=" .. exclusion_lists.quoted(list), config = { exclude = list } }
end

M.fields = {
  { name = "algo_config", type = { "object", "array" }, nullable = true },
  { name = "exclude", type = "strings", nullable = true },
  { name = "export", type = "object" },
  { name = "global_quant_config", type = "object", nullable = true },
  { name = "kv_cache_post_rope", type = "boolean" },
  { name = "kv_cache_quant_config", type = "object", nullable = true },
  { name = "layer_quant_config", type = "object", nullable = true },
  { name = "layer_type_quant_config", type = "object", nullable = true },
  { name = "log_severity_level", type = { "integer", "string" } },
  { name = "quant_method", type = "string", default = "quark" },
  { name = "quant_mode", type = "string" },
  { name = "softmax_quant_spec", type = "object", nullable = true },
  { name = "version", type = "string", nullable = true },
}

local TYPES = { fp8_e4m3 = { 8, "float8_e4m3", "F8_E4M3" }, int8 = { 8, "int8", "I8" },
  int4 = { 4, "int4", "I32" }, uint4 = { 4, "uint4", "I32" }, fp4 = { 4, "float4_e2m1", "U8" } }

local function pack_method(q)
  local export = q.export
  return type(export) == "table" and export.pack_method or "reorder"
end

-- The request of one layer's config, or nil and the reason.
local function request(config, q)
  local spec = type(config) == "table" and config.weight
  if type(spec) ~= "table" or spec == json.null then return nil, "its config has no weight spec" end
  if json.is_array(spec) then spec = spec[#spec] end
  local kind = type(spec) == "table" and TYPES[spec.dtype]
  if not kind then
    return nil, ("weight dtype '%s'"):format(tostring(type(spec) == "table" and spec.dtype))
  end
  local group = spec.qscheme == "per_group" and spec.group_size or nil
  if group ~= nil and not small_values.is_count(group) then
    return nil, ("group_size %s"):format(tostring(group))
  end
  local asked = { dtype = spec.dtype, qscheme = spec.qscheme, group_size = group,
    pack_method = pack_method(q) }
  return { bits = kind[1], type = kind[2], class = weight.class, layout = weight,
    group_size = group, scheme = { bits = kind[1], stored = kind[3], asked = asked,
      group_size = group, grouped = group ~= nil } }
end

--- What a config asks for in general.
function M.requested(q)
  local found, reason = request(q.global_quant_config, q)
  local has_layers = type(q.layer_quant_config) == "table" and next(q.layer_quant_config) ~= nil
  if found then
    found.skip = q.exclude
    return found
  elseif has_layers then
    local _, first = next(q.layer_quant_config)
    found = request(first, q)
    if found then return found end
  end
  return { problem = "global_quant_config: " .. tostring(reason), skip = q.exclude }
end

local function matcher(pattern)
  local ok, matches = pcall(glob.compile, pattern)
  return ok and matches or function(name) return name == pattern end
end

local function exclusions_of(q)
  local list = {}
  for _, pattern in ipairs(q.exclude or {}) do
    list[#list + 1] = { key = pattern, source = "config", matches = matcher(pattern) }
  end
  return list
end

local function by_layer(q)
  local list = {}
  local layers = type(q.layer_quant_config) == "table" and q.layer_quant_config or {}
  for _, pattern in ipairs(json.keys(layers)) do
    list[#list + 1] = { matches = matcher(pattern), config = layers[pattern] }
  end
  return list
end

--- The request of each module.
function M.requests(model)
  local asked, q = model.requested, model.values
  if not (asked and asked.layout) then
    return requests.unjudged(model, asked and asked.skip or nil)
  end
  local list, layers = exclusions_of(q), by_layer(q)
  local function of(module)
    if module.class ~= "Linear" then return nil end
    for _, exclusion in ipairs(list) do
      if exclusion.matches(module.name) then
        return nil, ("excluded by '%s' (config)"):format(exclusion.key)
      end
    end
    for _, layer in ipairs(layers) do
      if layer.matches(module.name) then return request(layer.config, q) end
    end
    return request(q.global_quant_config, q)
  end
  return { exclusions = list, judged = true, of = of }
end

return M
