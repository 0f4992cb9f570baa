-- Operators of a template, as Python's.

local characters = require "qspec.template.characters"
local formatting = require "qspec.template.formatting"
local limits = require "qspec.template.limits"
local values = require "qspec.template.values"

local M = {}

local EXACT = 2 ^ 53

-- A whole number that Python would have: it is exact, or refused.
local function whole(value)
  if value >= -EXACT and value <= EXACT then return value + 0 end
  limits.fail("a whole number beyond 2^53 is not exact here", nil, "unsupported")
end

local function refuse_undefined(value)
  if values.kind(value) ~= "undefined" then return end
  limits.fail(value.name and ("'%s' is undefined"):format(value.name) or "a value is undefined")
end

local function refuse(operator, a, b)
  refuse_undefined(a)
  refuse_undefined(b)
  values.refuse_markup(a)
  values.refuse_markup(b)
  limits.fail(("unsupported operand types for %s: '%s' and '%s'"):format(operator,
    values.type_name(a), values.type_name(b)))
end

-- Both numbers, and whether the result is a float.
local function numbers(operator, a, b)
  local x, y = values.number(a), values.number(b)
  if not (x and y) then refuse(operator, a, b) end
  return x, y, values.kind(a) == "float" or values.kind(b) == "float"
end

local function made(value, is_float)
  return is_float and values.float(value) or whole(value)
end

local function refuse_zero(value)
  if value == 0 then limits.fail("division by zero") end
end

local function concatenated(a, b, meter)
  local items = {}
  meter:step(#a + #b)
  for _, item in ipairs(a) do items[#items + 1] = item end
  for _, item in ipairs(b) do items[#items + 1] = item end
  items.kind = a.kind
  return items
end

local function repeated(value, count, meter)
  count = math.max(0, values.number(count))
  if type(value) == "string" then
    meter:text(#value * count)
    return value:rep(count)
  end
  local items = { kind = value.kind }
  meter:step(#value * count)
  for _ = 1, count do
    for _, item in ipairs(value) do items[#items + 1] = item end
  end
  return items
end

local SEQUENCES = { str = true, list = true, tuple = true }
local WHOLE = { int = true, bool = true }
local SLICED = { str = true, list = true, tuple = true, range = true }

M.binary = {}

M.binary["+"] = function(a, b, meter)
  local kind = values.kind(a)
  if SEQUENCES[kind] and kind == values.kind(b) then
    if kind ~= "str" then return concatenated(a, b, meter) end
    meter:text(#a + #b)
    return a .. b
  end
  local x, y, is_float = numbers("+", a, b)
  return made(x + y, is_float)
end

M.binary["-"] = function(a, b)
  local x, y, is_float = numbers("-", a, b)
  return made(x - y, is_float)
end

M.binary["*"] = function(a, b, meter)
  if SEQUENCES[values.kind(a)] and WHOLE[values.kind(b)] then return repeated(a, b, meter) end
  if SEQUENCES[values.kind(b)] and WHOLE[values.kind(a)] then return repeated(b, a, meter) end
  local x, y, is_float = numbers("*", a, b)
  return made(x * y, is_float)
end

M.binary["/"] = function(a, b)
  local x, y = numbers("/", a, b)
  refuse_zero(y)
  return values.float(x / y)
end

M.binary["//"] = function(a, b)
  local x, y, is_float = numbers("//", a, b)
  refuse_zero(y)
  if not is_float then return whole(math.floor(x / y)) end
  return values.float((x - x % y) / y)
end

M.binary["%"] = function(a, b, meter)
  if type(a) == "string" then return formatting.percent(a, b, meter) end
  local x, y, is_float = numbers("%", a, b)
  refuse_zero(y)
  local rest = x % y
  if is_float and rest == 0 then rest = y < 0 and -0.0 or 0 end  -- Python's has the divisor's sign
  return made(rest, is_float)
end

M.binary["**"] = function(a, b)
  local x, y, is_float = numbers("**", a, b)
  if x == 0 and y < 0 then limits.fail("0 cannot be raised to a negative power") end
  if x < 0 and y % 1 ~= 0 then
    limits.fail("complex numbers are not supported", nil, "unsupported")
  end
  return made(x ^ y, is_float or y < 0)
end

--- + and - in front of a number.
function M.sign(operator, value)
  local number = values.number(value)
  if not number then
    refuse_undefined(value)
    limits.fail(("bad operand type for unary %s: '%s'"):format(operator, values.type_name(value)))
  end
  return made(operator == "-" and -number or number, values.kind(value) == "float")
end

local function contains(container, item, meter)
  local kind = values.kind(container)
  if kind == "str" then
    if type(item) ~= "string" then
      refuse_undefined(item)
      limits.fail(("'in <string>' wants a string on its left, not '%s'"):format(
        values.type_name(item)))
    end
    return container:find(item, 1, true) ~= nil
  elseif kind == "dict" then
    if not values.key(item) then
      limits.fail(("unhashable type: '%s'"):format(values.type_name(item)))
    end
    return values.get(container, item) ~= nil
  end
  values.refuse_markup(container)
  for _, each in ipairs(values.items(container) or limits.fail(
    ("argument of type '%s' is not iterable"):format(values.type_name(container)))) do
    meter:step()
    if values.equal(each, item) then return true end
  end
  return false
end

M.compare = {
  ["=="] = values.equal,
  ["!="] = function(a, b) return not values.equal(a, b) end,
  ["in"] = function(a, b, meter) return contains(b, a, meter) end,
  ["not in"] = function(a, b, meter) return not contains(b, a, meter) end,
}

M.compare["<"] = function(a, b)
  refuse_undefined(a)
  refuse_undefined(b)
  return values.less(a, b)
end

M.compare[">"] = function(a, b) return M.compare["<"](b, a) end
M.compare["<="] = function(a, b)
  return M.compare["<"](a, b) or values.equal(a, b)
end
M.compare[">="] = function(a, b) return M.compare["<="](b, a) end

-- Slices -----------------------------------------------------------------------------------------

local function bound(value, length, lowest, highest, otherwise)
  if value == nil or values.kind(value) == "none" then return otherwise end
  local index = values.number(value)
  if not index or values.kind(value) == "float" then
    limits.fail("slice indices must be integers or none")
  end
  if index < 0 then index = index + length end
  return math.min(math.max(index, lowest), highest)
end

local function stride(value)
  if value == nil or values.kind(value) == "none" then return 1 end
  local step = WHOLE[values.kind(value)] and values.number(value)
  if not step then limits.fail("slice indices must be integers or none") end
  if step == 0 then limits.fail("slice step cannot be zero") end
  return step
end

--- value[first:last:step]
function M.slice(value, first, last, step, meter)
  refuse_undefined(value)
  local kind = values.kind(value)
  if not SLICED[kind] then
    limits.fail(("'%s' cannot be sliced"):format(values.type_name(value)))
  end
  step = stride(step)
  local items = values.items(value)
  local length, picked = #items, {}
  meter:step(length)
  local low, high = step > 0 and 0 or -1, step > 0 and length or length - 1
  first = bound(first, length, low, high, step > 0 and 0 or length - 1)
  last = bound(last, length, low, high, step > 0 and length or -1)
  for i = first, last + (step > 0 and -1 or 1), step do picked[#picked + 1] = items[i + 1] end
  if kind == "str" then return table.concat(picked) end
  picked.kind = kind == "range" and "view" or kind
  return picked
end

--- value[key]; nil when there is nothing there.
function M.item(value, key)
  refuse_undefined(value)
  local kind = values.kind(value)
  if kind == "dict" then return values.get(value, key) end
  if not ((SEQUENCES[kind] or kind == "range") and WHOLE[values.kind(key)]) then return nil end
  local index, length = values.number(key), values.length(value)
  if index < 0 then index = index + length end
  if index < 0 or index >= length then return nil end
  if kind == "str" then return characters.sub(value, index, index + 1) end
  return value[index + 1]
end

return M
