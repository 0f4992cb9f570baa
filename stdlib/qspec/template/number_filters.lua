-- Filters that make numbers. Source: Jinja 3.1, filters.py.

local arguments = require "qspec.template.arguments"
local characters = require "qspec.template.characters"
local limits = require "qspec.template.limits"
local operators = require "qspec.template.operators"
local values = require "qspec.template.values"

local function integer(value, otherwise)
  return arguments.integer(value, otherwise, "the filter")
end

local M = {}

local function number(value, what)
  local found = values.number(value)
  if found then return found end
  limits.fail(("%s wants a number, not %s"):format(what, values.type_name(value)))
end

M.abs = { params = {}, run = function(value)
  return operators.sign(number(value, "abs") < 0 and "-" or "+", value)
end }

local function parsed_float(value)
  if type(value) ~= "string" then return values.number(value) end
  local text = characters.strip(value):gsub("(%d)_(%d)", "%1%2")
  local word = text:lower():match("^[-+]?(%a+)$")
  if word == "inf" or word == "infinity" then
    return text:sub(1, 1) == "-" and -math.huge or math.huge
  elseif word == "nan" then
    return 0 / 0
  end
  local plain = text:match("^[-+]?%d*%.?%d*$") or text:match("^[-+]?%d*%.?%d*[eE][-+]?%d+$")
  return plain and plain:find("%d") and tonumber((plain:gsub("^%+", ""))) or nil
end

M.float = { params = { "default" }, run = function(value, o)
  local found = parsed_float(value)
  if found then return values.float(found) end
  if values.kind(value) == "undefined" then limits.fail("a value is undefined") end
  return o.default == nil and values.float(0) or o.default
end }

local function parsed_integer(text, base)
  local sign, digits = characters.strip(text):match("^([-+]?)(%w[%w_]*)$")
  if not digits or digits:find("__") or digits:find("_$") then return nil end
  local prefixed = digits:lower():match(base == 16 and "^0x(.*)" or base == 8 and "^0o(.*)"
    or base == 2 and "^0b(.*)" or "^$")
  local found = tonumber(((prefixed or digits):gsub("_", "")), base)
  return found and (sign == "-" and -found or found)
end

M.int = { params = { "default", "base" }, run = function(value, o)
  local found = type(value) == "string" and parsed_integer(value, integer(o.base, 10)) or nil
  found = found or parsed_float(value)
  if values.kind(value) == "undefined" then limits.fail("a value is undefined") end
  if not found or found ~= found or math.abs(found) == math.huge then
    return o.default == nil and 0 or o.default
  end
  return operators.sign("+", found < 0 and math.ceil(found) or math.floor(found))
end }

-- round() of a float: of two equally near the even one. They are equally near only when the binary
-- fraction is as short as the decimal one.
local function rounded(amount, precision)
  local scaled = amount * 10 ^ precision
  local lower = math.floor(scaled)
  if scaled - lower == 0.5 and amount * 2 ^ (precision + 1) % 1 == 0 then
    return (lower % 2 == 0 and lower or lower + 1) / 10 ^ precision
  end
  return tonumber(("%." .. precision .. "f"):format(amount))
end

local ROUNDED = { ceil = math.ceil, floor = math.floor }

M.round = { params = { "precision", "method" }, run = function(value, o)
  local precision, method = integer(o.precision, 0), o.method or "common"
  local amount = number(value, "round")
  if math.abs(precision) > 15 then limits.fail("round: a precision beyond 15") end
  if method == "common" then
    if values.kind(value) ~= "float" and precision >= 0 then return amount end
    if precision >= 0 then return values.float(rounded(amount, precision)) end
    limits.fail("round with a negative precision is not supported", nil, "unsupported")
  elseif not ROUNDED[method] then
    limits.fail("round: the method must be common, ceil or floor")
  end
  return values.float(ROUNDED[method](amount * 10 ^ precision) / 10 ^ precision)
end }

return M
