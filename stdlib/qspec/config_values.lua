-- Values of a config.json, checked before anything is computed from them: the file is not ours.

local outcome = require "qspec.outcome"
local schema = require "qspec.schema"

local M = {}

local MOST = 2 ^ 31 - 1

--- Raises for a value of config.json.
---@param key string
---@param value any
---@param wanted string
function M.refuse(key, value, wanted)
  error(outcome.error("checkpoint", ("config.json has %s = %s, wanted %s"):format(key,
    schema.show(value), wanted)), 0)
end

local WANTED = {
  count = { "a whole number of 1 to " .. MOST, function(value)
    return type(value) == "number" and value % 1 == 0 and value >= 1 and value <= MOST
  end },
  counts = { "a whole number from 1 on, or a list of them", function(value)
    for _, one in ipairs(type(value) == "table" and value or { value }) do
      if type(one) ~= "number" or one % 1 ~= 0 or one < 1 or one > MOST then return false end
    end
    return value ~= nil
  end },
  number = { "a number", function(value)
    return type(value) == "number" and value == value and math.abs(value) < math.huge
  end },
  whole = { "a whole number of 0 to " .. MOST, function(value)
    return type(value) == "number" and value % 1 == 0 and value >= 0 and value <= MOST
  end },
  string = { "a string", function(value) return type(value) == "string" end },
  table = { "an object or a list", function(value) return type(value) == "table" end },
  boolean = { "true or false", function(value) return type(value) == "boolean" end },
}

--- Checks each value that is there against the type that the architecture declares for it.
---@param types table<string, "count"|"whole"|"number"|"boolean"|"string"|"table">
---@param config table
function M.check(types, config)
  for key, name in pairs(types) do
    local wanted = WANTED[name] or error("there is no config type '" .. tostring(name) .. "'", 2)
    local value = config[key]
    if value ~= nil and not wanted[2](value) then M.refuse(key, value, wanted[1]) end
  end
end

--- config[key] divided by config[divisor], which must leave no rest.
---@param config table
---@param key string
---@param divisor string
---@return integer
function M.quotient(config, key, divisor)
  local quotient = config[key] / config[divisor]
  if quotient % 1 ~= 0 then
    M.refuse(key, config[key], ("a multiple of %s = %s"):format(divisor,
      schema.show(config[divisor])))
  end
  return quotient
end

return M
