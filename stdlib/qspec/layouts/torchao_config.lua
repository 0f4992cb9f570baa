-- torchao's config objects as JSON, and what each makes of a weight.
--
-- Source: torchao 0.18, core/config.py (config_to_dict: {_type, _version, _data}) and
-- quantization/quant_api.py.

local kinds = require "qspec.layouts.torchao_kinds"
local small_values = require "qspec.layouts.small_values"
local weight = require "qspec.layouts.torchao_weight"

local M = {}

local INT4 = { plain = "Int4Tensor", plain_int32 = "Int4PlainInt32Tensor",
  tile_packed_to_4d = "Int4TilePackedTo4dTensor" }

local function of_int4(data)
  local format = data.int4_packing_format
  if type(format) == "table" then format = format._data end
  format = tostring(format or "plain"):lower()
  return INT4[format], ("int4_packing_format '%s', which torchao does not write into safetensors")
    :format(format)
end

-- The class of tensor that a config object makes.
local MADE = {
  Int8WeightOnlyConfig = "Int8Tensor",
  Int8DynamicActivationInt8WeightConfig = "Int8Tensor",
  Int8StaticActivationInt8WeightConfig = "Int8Tensor",
  Float8WeightOnlyConfig = "Float8Tensor",
  Float8DynamicActivationFloat8WeightConfig = "Float8Tensor",
  IntxWeightOnlyConfig = "IntxUnpackedToInt8Tensor",
  Int8DynamicActivationIntxWeightConfig = "IntxUnpackedToInt8Tensor",
  Int4WeightOnlyConfig = of_int4,
  Float8DynamicActivationInt4WeightConfig = "Int4Tensor",
  NVFP4WeightOnlyConfig = "NVFP4Tensor",
  NVFP4DynamicActivationNVFP4WeightConfig = "NVFP4Tensor",
  MXDynamicActivationMXWeightConfig = "MXTensor",
}

local function data_of(value)
  return type(value) == "table" and type(value._data) == "table" and value._data or {}
end

local function granularity_of(data)
  return data.granularity or data.weight_granularity or {}
end

-- Columns of a group, nil for a whole row.
local function group_of(data)
  if small_values.is_count(data.group_size) then return data.group_size end
  local granularity = granularity_of(data)
  if type(granularity) ~= "table" then return nil end
  local size = data_of(granularity).group_size
  return small_values.is_count(size) and size or nil
end

local function type_of(kind, data)
  if type(kind.type) == "string" then return kind.type end
  local asked = data.weight_dtype
  return kind.type { target_dtype = asked }
end

local function request(kind_name, data)
  local kind, group = kinds[kind_name], group_of(data)
  local type_name = type_of(kind, data)
  return { bits = kind.bits, type = type_name, class = "Linear", layout = weight,
    group_size = group, scheme = { kind = kind, kind_name = kind_name, bits = kind.bits,
      type = type_name, block = { 1, group or 2 ^ 31 - 1 } } }
end

--- The request of one config object, or nil and the reason.
---@param object any {_type, _data}
---@return table|nil request, string|nil reason
function M.request(object)
  if type(object) ~= "table" or type(object._type) ~= "string" then
    return nil, "no config object of torchao"
  end
  local made, data = MADE[object._type], data_of(object)
  local reason = ("a config of type '%s', whose tensors are not known"):format(object._type)
  if type(made) == "function" then made, reason = made(data) end
  if not made then return nil, reason end
  return request(made, data)
end

--- The rules of a FqnToConfig, nil for any other object.
---@param object any
---@return table<string, any>|nil by pattern
function M.rules(object)
  local name = type(object) == "table" and object._type
  if name ~= "FqnToConfig" and name ~= "ModuleFqnToConfig" then return nil end
  local data = data_of(object)
  local rules = data.fqn_to_config
  if type(rules) ~= "table" or next(rules) == nil then rules = data.module_fqn_to_config end
  return type(rules) == "table" and rules or {}
end

return M
