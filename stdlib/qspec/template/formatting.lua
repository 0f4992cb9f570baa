-- "%" between a text and values, and str.format, as far as chat templates go.

local limits = require "qspec.template.limits"
local printing = require "qspec.template.printing"
local values = require "qspec.template.values"

local M = {}

local function refuse(specification)
  limits.fail(("the format '%s' is not supported"):format(specification), nil, "unsupported")
end

local function number_of(value, specification)
  local number = values.number(value)
  if number then return number end
  limits.fail(("%s wants a number, not %s"):format(specification, values.type_name(value)))
end

local function as_integer(value, specification)
  local number = number_of(value, specification)
  return ("%.0f"):format(number < 0 and math.ceil(number) or math.floor(number))
end

local CONVERSIONS = {
  s = function(value, meter) return printing.str(value, meter) end,
  r = function(value, meter) return printing.repr(value, meter) end,
  d = function(value) return as_integer(value, "%d") end,
  i = function(value) return as_integer(value, "%i") end,
}

-- One conversion; those of C's printf that Python has too are Lua's.
local function convert(flags, letter, value, meter)
  local specification = "%" .. flags .. letter
  local of = CONVERSIONS[letter]
  if of and flags == "" then return of(value, meter) end
  if letter:find("[eEfFgGxXod]") and #flags <= 8 then
    return (specification:gsub("F", "f")):format(number_of(value, specification))
  end
  refuse(specification)
end

-- What Python takes for a mapping, whose values need not all be used.
local UNCOUNTED = { dict = true, list = true, range = true, undefined = true }

--- format % arguments
---@param format string
---@param arguments any a tuple, or one value
---@return string
function M.percent(format, arguments, meter)
  local list = values.kind(arguments) == "tuple" and arguments or { arguments }
  local used, parts, at = 0, {}, 1
  while true do
    local place = format:find("%", at, true)
    if not place then break end
    parts[#parts + 1] = format:sub(at, place - 1)
    local flags, letter = format:match("^([-+ #0]*%d*%.?%d*)(%a)", place + 1)
    if format:sub(place + 1, place + 1) == "%" then
      parts[#parts + 1], at = "%", place + 2
    elseif not letter then
      refuse(format:sub(place, place + 8))
    else
      used = used + 1
      if list[used] == nil then limits.fail("not enough arguments for format string") end
      parts[#parts + 1] = convert(flags, letter, list[used], meter)
      at = place + 1 + #flags + 1
    end
    meter:text(#parts[#parts])
  end
  if used < #list and not UNCOUNTED[values.kind(arguments)] then
    limits.fail("not all arguments converted during string formatting")
  end
  return table.concat(parts) .. format:sub(at)
end

local function field_value(name, position, arguments, named)
  if name == "" then return arguments[position + 1], position + 1 end
  if name:find("^%d+$") then return arguments[tonumber(name) + 1], position end
  if not name:find("^[%a_][%w_]*$") then refuse("{" .. name .. "}") end
  return named.values[name], position
end

--- format.format(...): fields by place or by name, without conversions.
function M.format(format, arguments, named, meter)
  local position = 0
  local text = format:gsub("{{", "\1"):gsub("}}", "\2")
  if format:find("[\1\2]") then refuse("control characters") end
  text = text:gsub("{([^{}]*)}", function(name)
    local value
    value, position = field_value(name, position, arguments, named)
    if value == nil then limits.fail(("no value for '{%s}'"):format(name)) end
    return printing.str(value, meter)
  end)
  if text:find("[{}]") then limits.fail("a single brace in a format string") end
  meter:text(#text)
  return (text:gsub("\1", "{"):gsub("\2", "}"))
end

return M
