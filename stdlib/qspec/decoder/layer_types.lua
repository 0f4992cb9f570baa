-- Which layers look at all tokens and which at the last of them only.

local config_values = require "qspec.config_values"
local outcome = require "qspec.outcome"

local M = {}

local KNOWN = { full_attention = true, sliding_attention = true }

--- The type of each layer.
---@param config table
---@param usual fun(index: integer): boolean whether the layer of this index, from 0, is a sliding
---  one when the config does not say
---@return fun(index: integer): string
function M.read(config, usual)
  local types = config.layer_types
  if types == nil then
    return function(index) return usual(index) and "sliding_attention" or "full_attention" end
  end
  if #types < config.num_hidden_layers then
    config_values.refuse("layer_types", #types, ("one of each of %d layers"):format(
      config.num_hidden_layers))
  end
  for index = 1, config.num_hidden_layers do
    if not KNOWN[types[index]] then
      error(outcome.error("unsupported", ("config.json has a layer of type '%s', which nothing "
        .. "here can run"):format(tostring(types[index]))), 0)
    end
  end
  return function(index) return types[index + 1] end
end

--- Whether a layer has this type.
function M.has(config, types, type_of)
  for index = 0, config.num_hidden_layers - 1 do
    if types(index) == type_of then return true end
  end
  return false
end

--- The window of each layer that has one.
---@param config table
---@param types fun(index: integer): string
function M.windows(config, types)
  return function(index)
    return types(index) == "sliding_attention" and config.sliding_window or nil
  end
end

--- Windows on the layers that the config says, and of a model with windows rotary positions on
--- those alone: what EXAONE has since its fourth version.
---@param config table with sliding_window and sliding_window_pattern
---@param attention table of a decoder's table, whose `rope` is one for all layers
function M.positions_in_windows(config, attention)
  if not config.sliding_window then return end
  local pattern, frequencies = config.sliding_window_pattern, attention.rope
  local types = M.read(config, function(index)
    return pattern ~= nil and (index + 1) % pattern ~= 0
  end)
  attention.window = M.windows(config, types)
  attention.rope = function(index)
    return types(index) == "sliding_attention" and frequencies or nil
  end
end

return M
