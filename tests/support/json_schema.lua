-- The part of JSON Schema that the schemas in stdlib/qspec/schema use: type, enum, required,
-- properties, additionalProperties, items, minimum, maximum. Another keyword is an error, so that
-- no rule is written there that no test reads.

local json = require "host.json"
local system = require "host.system"

local M = {}

local KNOWN = { ["$schema"] = true, title = true, description = true, type = true, enum = true,
  required = true, properties = true, additionalProperties = true, items = true, minimum = true,
  maximum = true }

local IS = {
  string = function(value) return type(value) == "string" end,
  number = function(value) return type(value) == "number" end,
  integer = function(value) return type(value) == "number" and value % 1 == 0 end,
  boolean = function(value) return type(value) == "boolean" end,
  null = function(value) return value == json.null end,
  array = function(value) return type(value) == "table" and json.is_array(value) end,
  object = function(value)
    return type(value) == "table" and value ~= json.null and not json.is_array(value)
  end,
}

local function contains(list, value)
  for _, one in ipairs(list) do
    if one == value then return true end
  end
  return false
end

local function has_type(value, types)
  for _, name in ipairs(type(types) == "table" and types or { types }) do
    if IS[name](value) then return true end
  end
  return false
end

local validate

local function validate_object(value, schema, path)
  for _, key in ipairs(schema.required or {}) do
    if value[key] == nil then return path .. " has no '" .. key .. "'" end
  end
  for key, inner in pairs(value) do
    local declared = (schema.properties or {})[key]
    if declared == nil and schema.additionalProperties == false then
      return path .. " has an undeclared '" .. key .. "'"
    end
    if declared == nil and type(schema.additionalProperties) == "table" then
      declared = schema.additionalProperties
    end
    local problem = declared and validate(inner, declared, path .. "." .. key)
    if problem then return problem end
  end
end

local function validate_array(value, schema, path)
  for i = 1, schema.items and #value or 0 do
    local problem = validate(value[i], schema.items, path .. "[" .. i .. "]")
    if problem then return problem end
  end
end

function validate(value, schema, path)
  for keyword in pairs(schema) do
    if not KNOWN[keyword] then
      return path .. ": the validator does not know '" .. keyword .. "'"
    end
  end
  if schema.type and not has_type(value, schema.type) then
    return path .. " is " .. tostring(value) .. ", a " .. type(value)
  elseif schema.enum and not contains(schema.enum, value) then
    return path .. " is " .. tostring(value) .. ", not one of its allowed values"
  elseif schema.minimum and type(value) == "number" and value < schema.minimum then
    return path .. " is " .. value .. ", below " .. schema.minimum
  elseif schema.maximum and type(value) == "number" and value > schema.maximum then
    return path .. " is " .. value .. ", above " .. schema.maximum
  end
  if IS.object(value) then return validate_object(value, schema, path) end
  if IS.array(value) then return validate_array(value, schema, path) end
end

---The first way in which a document breaks a schema, nil when there is none.
---@param document any as json.decode gives it
---@param name string "run", "inspect", "generate" or "perplexity"
---@return string?
function M.problem(document, name)
  local path = system.home() .. "/stdlib/qspec/schema/" .. name .. ".json"
  return validate(document, json.decode(system.read(path, 2 ^ 20)), "$")
end

return M
