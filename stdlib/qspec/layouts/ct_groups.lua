-- config_groups of compressed-tensors, and the format in which each group stores its weights.
--
-- Source: compressed-tensors 0.20, quantization/quant_scheme.py (QuantizationScheme),
-- compressors/format.py (infer_module_format) and the compressors' can_compress.

local ct_args = require "qspec.layouts.ct_args"
local ct_floats = require "qspec.layouts.ct_floats"
local ct_packed = require "qspec.layouts.ct_packed"
local ct_plain = require "qspec.layouts.ct_plain"
local ct_presets = require "qspec.layouts.ct_presets"
local ct_targets = require "qspec.layouts.ct_targets"
local json = require "host.json"
local nearest = require "qspec.nearest"

local M = {}

---@class qspec.CtGroup
---@field name string
---@field targets qspec.CtTarget[]
---@field weights qspec.CtArgs|nil
---@field inputs qspec.CtArgs|nil
---@field outputs qspec.CtArgs|nil
---@field format string|nil the group's own

local function is_integer(weights)
  return weights.type == "int"
end

local function is_mx(bits)
  return function(weights)
    return weights.type == "float" and weights.bits == bits and weights.group_size == 32
  end
end

local function is_byte(weights)
  return is_integer(weights) or weights.bits == 8
end

-- By format: the layout, the kind within it, and which weights it holds.
local FORMATS = {
  ["pack-quantized"] = { layout = ct_packed,
    holds = function(weights) return is_integer(weights) and weights.bits <= 8 end },
  ["int-quantized"] = { layout = ct_plain, holds = is_byte },
  ["float-quantized"] = { layout = ct_plain, holds = is_byte },
  ["naive-quantized"] = { layout = ct_plain, holds = is_byte },
  ["mxfp8-quantized"] = { layout = ct_plain, mx = true, holds = is_mx(8) },
  ["nvfp4-pack-quantized"] = { layout = ct_floats, kind = "nvfp4", holds = function(weights)
    return weights.type == "float" and weights.bits == 4 and weights.group_size ~= nil
  end },
  ["mxfp4-pack-quantized"] = { layout = ct_floats, kind = "mxfp4", holds = is_mx(4) },
  ["mxfp6-pack-quantized"] = { layout = ct_floats, kind = "mxfp6", holds = is_mx(6) },
  dense = {},
}

--- Formats that the enumeration keeps and no compressor reads.
M.unshipped = { ["sparse-bitmask"] = true, ["sparse-24-bitmask"] = true, ["marlin-24"] = true }

--- Whether a format says how weights are stored.
function M.is_concrete(format)
  return FORMATS[format] ~= nil
end

--- Names of all formats, for hints.
function M.names()
  local names = { "mixed-precision" }
  for name in pairs(FORMATS) do names[#names + 1] = name end
  for name in pairs(M.unshipped) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- The format that the library takes where a group names none; it does not look at the config's.
---@param group qspec.CtGroup
---@return string
function M.inferred(group)
  local weights = group.weights
  if not weights then return "dense" end
  for _, name in ipairs { "mxfp4-pack-quantized", "mxfp6-pack-quantized" } do
    if FORMATS[name].holds(weights) then return name end
  end
  if is_mx(8)(weights) and weights.scale_dtype == "uint8" then return "mxfp8-quantized" end
  if weights.type == "float" and weights.bits == 4 and weights.group_size == 16 then
    return "nvfp4-pack-quantized"
  end
  if group.inputs then return is_integer(weights) and "int-quantized" or "float-quantized" end
  return FORMATS["pack-quantized"].holds(weights) and "pack-quantized" or "naive-quantized"
end

-- Reading -----------------------------------------------------------------------------------------

local KEYS = { targets = true, weights = true, input_activations = true, output_activations = true,
  format = true }

local PARTS = { weights = "weights", inputs = "input_activations", outputs = "output_activations" }

local function read_targets(list)
  if type(list) ~= "table" or not json.is_array(list) then return nil, "has no list of targets" end
  local targets = {}
  for i, key in ipairs(list) do
    if type(key) ~= "string" then return nil, "has a target that is no text" end
    local target, reason = ct_targets.compile(key)
    if not target then return nil, "has a bad target: " .. reason end
    targets[i] = target
  end
  return targets
end

local function read_format(group, value)
  if value == nil or value == json.null then return nil end
  if type(value) ~= "string" or value == "mixed-precision"
      or not (FORMATS[value] or M.unshipped[value]) then
    local close = nearest(tostring(value), M.names())
    return ("has format '%s'"):format(tostring(value)) .. (close and close ~= value
      and (", did you mean '%s'?"):format(close) or "")
  end
  group.format = value
end

local function read_parts(group, raw)
  for field, key in pairs(PARTS) do
    if raw[key] ~= nil and raw[key] ~= json.null then
      local args, reason = ct_args.read(raw[key])
      if not args then return key .. " " .. reason end
      group[field] = args
    end
  end
  local weights, inputs = group.weights, group.inputs
  if weights and (weights.dynamic or weights.strategy == "attn_head") then
    return ("weights has strategy '%s' and dynamic %s"):format(weights.strategy,
      tostring(weights.dynamic))
  elseif inputs and (inputs.strategy == "channel" or inputs.strategy == "block") then
    return ("input_activations has strategy '%s'"):format(inputs.strategy)
  end
end

local function read_group(name, raw)
  if type(raw) ~= "table" then return nil, "is " .. tostring(raw) end
  if json.is_array(raw) then
    local preset = ct_presets.named(name)
    if not preset then return nil, "is a list of targets, but its name is no scheme" end
    raw = setmetatable({ targets = raw }, { __index = preset })
  else
    for key in pairs(raw) do
      if not KEYS[key] then return nil, ("has the unknown key '%s'"):format(tostring(key)) end
    end
  end
  local targets, reason = read_targets(raw.targets)
  if not targets then return nil, reason end
  local group = { name = name, targets = targets }
  reason = read_parts(group, raw) or read_format(group, raw.format)
  if reason then return nil, reason end
  return group
end

-- A format given for weights that it does not hold, or that none reads any more.
local function misfit(group, config_format)
  local format = M.format_of(group, config_format)
  local entry = FORMATS[format]
  if M.unshipped[group.format] then
    return ("has format '%s', whose decompressor was dropped in 0.14"):format(format)
  end
  if not group.weights or not entry or not entry.layout or entry.holds(group.weights) then
    return nil
  end
  return ("asks for %s %d-bit weights in format '%s'"):format(group.weights.type,
    group.weights.bits, format)
end

--- The format in which the weights of a group lie: its own, the config's, or the inferred one.
---@param group qspec.CtGroup
---@param config_format string|nil
---@return string
function M.format_of(group, config_format)
  if group.format then return group.format end
  if M.is_concrete(config_format) or M.unshipped[config_format] then return config_format end
  return M.inferred(group)
end

--- Reads config_groups.
---@param raw any
---@param config_format string|nil
---@return qspec.CtGroup[]|nil groups in the order of the config
---@return string|nil reason why the library refuses them
function M.read(raw, config_format)
  if raw == nil then return {} end
  if type(raw) ~= "table" or json.is_array(raw) and #raw > 0 then
    return nil, "config_groups is no object"
  end
  local groups = {}
  for _, name in ipairs(json.keys(raw)) do
    local group, reason = read_group(name, raw[name])
    reason = reason or misfit(group, config_format)
    if reason then return nil, ("config_groups.%s %s"):format(name, reason) end
    groups[#groups + 1] = group
  end
  return groups
end

-- Requests ----------------------------------------------------------------------------------------

local function type_of(format, weights)
  local entry = FORMATS[format]
  if entry.kind then return entry.kind end
  if weights.type == "int" then return "int" .. weights.bits end
  return entry.mx and "mxfp8" or "float8_e4m3"
end

--- What a group asks of a weight; nil where it leaves weights dense.
---@param group qspec.CtGroup
---@param config_format string|nil
---@return qspec.Request|nil
function M.request(group, config_format)
  local format, weights = M.format_of(group, config_format), group.weights
  local entry = FORMATS[format]
  if not weights or not entry or not entry.layout then return nil end
  return { layout = entry.layout, bits = weights.bits, type = type_of(format, weights),
    class = "Linear", group_size = weights.group_size,
    scheme = { bits = weights.bits, code = weights.type, kind = entry.kind, mx = entry.mx or false,
      type = type_of(format, weights), symmetric = weights.symmetric,
      strategy = weights.strategy, group_size = weights.group_size, block = weights.block,
      inputs = group.inputs, outputs = group.outputs } }
end

return M
