-- MLX: what mlx-lm writes for Apple machines.
--
-- Source: mlx-lm 0.32, utils.py (quantize_model, load_model): config.json has "quantization" and
-- the same object as "quantization_config": group_size, bits, mode, and for single modules, by
-- name, such an object of their own or false. No quant_method: transformers refuses the config.

local affine = require "qspec.layouts.mlx_words"
local floats = require "qspec.layouts.mlx_floats"
local small_values = require "qspec.layouts.small_values"

local M = {
  name = "mlx",
  summary = "mlx-lm's affine words and small floats, linears and embeddings",
  methods = { "mlx" },
  layouts = { affine, floats },
  keeps_unknown_keys = true,
  writes_index = true,
  fallbacks = {
    "a module whose columns the group size does not divide stays dense in silence",
    "an override for a module that does not exist is ignored",
    "transformers does not load such a checkpoint: the config has no quant_method",
  },
}

local MODES = { "affine", "mxfp4", "mxfp8", "nvfp4" }

--- `quant_method` is never written; other keys are names of modules.
M.fields = {
  { name = "bits", type = "integer", default = 4, allowed = { 1, 2, 3, 4, 5, 6, 8 } },
  { name = "group_size", type = "integer", default = 64 },
  { name = "mode", type = "string", default = "affine", allowed = MODES },
  { name = "quant_method", type = "string", nullable = true, saved = false, harmless = true },
}

--- Whether a config without a quant_method is MLX's.
function M.recognizes(raw)
  return type(raw.bits) == "number" and type(raw.group_size) == "number"
end

local BITS = { [1] = true, [2] = true, [3] = true, [4] = true, [5] = true, [6] = true, [8] = true }
local FLOATS = { mxfp4 = { 4, 32, "float4_e2m1" }, mxfp8 = { 8, 32, "float8_e4m3" },
  nvfp4 = { 4, 16, "float4_e2m1" } }

local function float_request(mode)
  local bits, group, type_name = unpack(FLOATS[mode])
  return { bits = bits, type = type_name, class = floats.class, layout = floats,
    group_size = group, scheme = { mode = mode, bits = bits, group_size = group } }
end

-- The request of one object of the config, or nil and the reason.
local function request(object)
  local mode = object.mode or "affine"
  if FLOATS[mode] then return float_request(mode) end
  if not BITS[object.bits] then return nil, ("bits %s"):format(tostring(object.bits)) end
  if not small_values.is_count(object.group_size) then
    return nil, ("group_size %s"):format(tostring(object.group_size))
  end
  return { bits = object.bits, type = "uint" .. object.bits, class = affine.class,
    layout = affine, group_size = object.group_size,
    scheme = { bits = object.bits, group_size = object.group_size } }
end

--- What a config asks for in general.
function M.requested(q)
  local found, reason = request(q)
  if not found then return { problem = reason, hint = "mlx cannot read such a model" } end
  return found
end

local CONVERTED = { linear = true, embedding = true, experts = true }

local function own_of(raw, name, general)
  local own = raw[name]
  if own == nil then return general end
  if own == false then return nil, "the config says false" end
  if own == true or type(own) ~= "table" then return general end
  return request(setmetatable({}, { __index = function(_, key) return own[key] or raw[key] end }))
end

--- The request of each module: every linear and embedding that the group size divides and that the
--- file has scales for, the config's own words for it first.
function M.requests(model)
  local general = model.requested
  local raw = model.raw.quantization or model.raw.quantization_config or {}
  local judged = general and general.layout ~= nil
  local stored = {}
  for _, entry in ipairs(model.checkpoint and model.checkpoint:tensors() or {}) do
    stored[entry.name] = true
  end
  local function of(module)
    if not judged or module.tied_to or not CONVERTED[module.kind] then return nil end
    local found, reason = own_of(raw, module.name, general)
    if found and raw[module.name] == nil and model.checkpoint
        and not stored[module.name .. ".scales"] and stored[module.name .. ".weight"] then
      return nil, "the file has no scales for it, which mlx takes for dense"
    end
    if found and module.shape[#module.shape] % found.group_size ~= 0 then
      return nil, ("%d columns are no multiple of the group size %d"):format(
        module.shape[#module.shape], found.group_size)
    end
    return found, reason
  end
  return { exclusions = {}, judged = judged, of = of }
end

--- Overrides for modules that do not exist, and linears that stayed dense.
function M.silent(subject)
  local findings, known = {}, { bits = true, group_size = true, mode = true }
  for key, value in pairs(subject.quantization) do
    local is_override = type(key) == "string" and (type(value) == "table" or value == false)
    if is_override and not known[key] and not subject.census.by_name[key] then
      findings[#findings + 1] = { key = key, found = "an override for a module that is not there",
        wanted = "a module of the model" }
    end
  end
  table.sort(findings, function(a, b) return a.key < b.key end)
  for _, row in ipairs(subject.census.modules) do
    if row.kind == "linear" and not row.tied_to and not row.format and not row.request
        and subject.quantization[row.name] == nil and row.own_tensors then
      findings[#findings + 1] = { module = row.name, key = "quantization", found = "dense",
        wanted = "packed, or false in the config", hint = row.reason }
    end
  end
  return findings
end

return M
