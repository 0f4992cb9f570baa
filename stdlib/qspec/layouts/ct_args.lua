-- QuantizationArgs of compressed-tensors: how weights or activations of a group are quantized.
--
-- Source: compressed-tensors 0.20, quantization/quant_args.py (QuantizationArgs and its
-- validators). What the library refuses is refused here, with the reason.

local block_grid = require "qspec.layouts.block_grid"
local json = require "host.json"

local M = {}

---@class qspec.CtArgs
---@field bits integer
---@field type "int"|"float"
---@field symmetric boolean
---@field strategy "tensor"|"channel"|"token"|"group"|"block"|"tensor_group"|"attn_head"
---@field group_size integer|nil of the strategies group and tensor_group
---@field block integer[]|nil of the strategy block
---@field dynamic boolean|"local"
---@field scale_dtype string|nil "uint8"
---@field actorder string|nil

local KEYS = { num_bits = true, type = true, symmetric = true, group_size = true, strategy = true,
  block_structure = true, dynamic = true, actorder = true, scale_dtype = true, zp_dtype = true,
  observer = true, observer_kwargs = true }

local STRATEGIES = { tensor = true, channel = true, group = true, block = true, token = true,
  tensor_group = true, attn_head = true }

local IS_GROUPED = { group = true, tensor_group = true }

local DYNAMIC = { token = true, tensor = true, tensor_group = true, group = true }

local function shown(value)
  if type(value) == "table" then return json.encode(value) end
  return type(value) == "string" and "'" .. value .. "'" or tostring(value)
end

-- A null is as good as an absent key.
local function plain(raw)
  local values = {}
  for key, value in pairs(raw) do
    if value ~= json.null then values[key] = value end
  end
  return values
end

local function unknown_key(values)
  local unknown = {}
  for key in pairs(values) do
    if not KEYS[key] then unknown[#unknown + 1] = tostring(key) end
  end
  table.sort(unknown)
  return unknown[1]
end

local function lowered(value)
  return type(value) == "string" and value:lower() or value
end

-- The old spelling of a block is "128x128".
local function block_of(value)
  if type(value) == "string" then
    local rows, columns = value:match("^(%d+)x(%d+)$")
    value = rows and { tonumber(rows), tonumber(columns) }
  end
  return block_grid.block(value)
end

local function inferred_strategy(group_size)
  if group_size == nil then return "tensor" end
  return group_size > 0 and "group" or group_size == -1 and "channel" or nil
end

-- Each returns the reason to refuse, or nil.
local RULES = {
  function(v)
    local bits = v.num_bits == nil and 8 or v.num_bits
    if type(bits) ~= "number" or bits % 1 ~= 0 or bits < 1 or bits > 32 then
      return "num_bits is " .. shown(bits)
    end
  end,
  function(v)
    local kind = lowered(v.type)
    if kind ~= nil and kind ~= "int" and kind ~= "float" then return "type is " .. shown(v.type) end
    if v.symmetric ~= nil and type(v.symmetric) ~= "boolean" then
      return "symmetric is " .. shown(v.symmetric)
    end
  end,
  function(v)
    local size = v.group_size
    if size ~= nil and (type(size) ~= "number" or size % 1 ~= 0 or size < -1
        or size == 0 and not v.strategy or size >= 2 ^ 31) then
      return "group_size is " .. shown(size)
    end
  end,
  function(v)
    if v.strategy ~= nil and not STRATEGIES[lowered(v.strategy)] then
      return "strategy is " .. shown(v.strategy)
    end
  end,
  function(v)
    local strategy = lowered(v.strategy) or inferred_strategy(v.group_size)
    if IS_GROUPED[strategy] and not block_grid.is_size(v.group_size) then
      return ("strategy '%s' has group_size %s"):format(strategy, shown(v.group_size))
    elseif v.group_size and v.group_size > 0 and not IS_GROUPED[strategy] then
      return ("strategy '%s' has group_size %s"):format(strategy, shown(v.group_size))
    elseif (strategy == "block") ~= (v.block_structure ~= nil)
        or v.block_structure ~= nil and not block_of(v.block_structure) then
      return ("strategy '%s' has block_structure %s"):format(strategy, shown(v.block_structure))
    elseif v.dynamic and not DYNAMIC[strategy] or strategy == "token" and not v.dynamic then
      return ("strategy '%s' has dynamic %s"):format(strategy, shown(v.dynamic))
    end
  end,
  function(v)
    local dynamic = lowered(v.dynamic)
    if dynamic == "local" and lowered(v.strategy) ~= "tensor_group" then
      return "dynamic is 'local', which only strategy 'tensor_group' has"
    elseif dynamic ~= nil and type(dynamic) ~= "boolean" and dynamic ~= "local" then
      return "dynamic is " .. shown(v.dynamic)
    end
    local order = lowered(v.actorder)
    if order == true or order == "group" or order == "dynamic" then
      return "actorder is " .. shown(v.actorder) .. ", which was removed in 0.19"
    elseif order and order ~= "weight" and order ~= "static" then
      return "actorder is " .. shown(v.actorder)
    end
  end,
}

local function refusal(values)
  for _, rule in ipairs(RULES) do
    local reason = rule(values)
    if reason then return reason end
  end
end

--- Reads QuantizationArgs.
---@param raw any decoded JSON
---@return qspec.CtArgs|nil args
---@return string|nil reason why compressed-tensors refuses it
function M.read(raw)
  if type(raw) ~= "table" or json.is_array(raw) then return nil, "is " .. shown(raw) end
  local v = plain(raw)
  local unknown = unknown_key(v)
  if unknown then return nil, ("has the unknown key '%s'"):format(unknown) end
  local reason = refusal(v)
  if reason then return nil, reason end
  local strategy = lowered(v.strategy) or inferred_strategy(v.group_size)
  return { bits = v.num_bits or 8, type = lowered(v.type) or "int",
    symmetric = v.symmetric ~= false, strategy = strategy, dynamic = lowered(v.dynamic) or false,
    group_size = IS_GROUPED[strategy] and v.group_size or nil,
    block = strategy == "block" and block_of(v.block_structure) or nil, actorder = v.actorder,
    scale_dtype = type(v.scale_dtype) == "string" and v.scale_dtype:gsub("^torch%.", "") or nil }
end

return M
