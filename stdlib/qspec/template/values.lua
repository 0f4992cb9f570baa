-- Values of a template, which are Python's: what they are called, print, equal and compare.
--
-- Texts, booleans and whole numbers are Lua's; all else is a table with a `kind`: "none",
-- "undefined", "float", "list", "tuple", "dict", "range", "view" (of a dict), "generator" (gone
-- over once), "markup" (text that is safe for HTML), "namespace", "loop", "function".

local characters = require "qspec.template.characters"
local json = require "host.json"
local limits = require "qspec.template.limits"

local M = {}

M.none = { kind = "none" }

---@param name string? what was looked for
function M.undefined(name)
  return { kind = "undefined", name = name }
end

---@param value number
function M.float(value)
  return { kind = "float", value = value }
end

---@param items any[]
function M.list(items)
  items.kind = "list"
  return items
end

---@param items any[]
function M.tuple(items)
  items.kind = "tuple"
  return items
end

---@param name string
---@param call fun(meter: table, arguments: any[], named: table): any
function M.callable(name, call)
  return { kind = "function", name = name, call = call }
end

--- What is gone over once: filters like map and select give it.
---@param make fun(): any[]
function M.generator(make)
  return { kind = "generator", make = make }
end

--- What keys(), values() and items() of a dict give.
---@param items any[]
function M.view(items)
  items.kind = "view"
  return items
end

local LUA_KINDS = { string = "str", boolean = "bool", number = "int" }

---@return string
function M.kind(value)
  return LUA_KINDS[type(value)] or value.kind
end

local PYTHON_NAMES = { none = "NoneType", undefined = "Undefined", namespace = "Namespace",
  markup = "Markup" }

--- The type's name as Python has it.
function M.type_name(value)
  local kind = M.kind(value)
  return PYTHON_NAMES[kind] or kind
end

-- Dictionaries -----------------------------------------------------------------------------------

local KEYS = {
  str = function(key) return "s" .. key end,
  int = function(key) return ("n%.17g"):format(key) end,
  float = function(key) return ("n%.17g"):format(key.value) end,
  bool = function(key) return key and "n1" or "n0" end,
  none = function() return "none" end,
  undefined = function() return "undefined" end,
}

function KEYS.tuple(key)
  local parts = {}
  for i, item in ipairs(key) do
    local one = M.key(item)
    if not one then return nil end
    parts[i] = #one .. ":" .. one
  end
  return "t" .. table.concat(parts)
end

--- What a dictionary finds a value by: equal for equal values; nil for one that cannot be a key.
---@return string?
function M.key(value)
  local make = KEYS[M.kind(value)]
  return make and make(value)
end

function M.dict()
  return { kind = "dict", order = {}, values = {} }
end

--- Sets an entry, whose place stays when there is one.
function M.put(dict, key, value)
  local at = M.key(key)
  if not at then limits.fail(("unhashable type: '%s'"):format(M.type_name(key))) end
  if dict.values[at] == nil then dict.order[#dict.order + 1] = key end
  dict.values[at] = value
end

---@return any value nil when there is none
function M.get(dict, key)
  local at = M.key(key)
  if at == nil then return nil end
  return dict.values[at]
end

-- From and to JSON -------------------------------------------------------------------------------

local function of_number(value, kind)
  if kind == "inexact" then limits.fail("a number in the messages is too large to be exact") end
  if kind == "float" or value % 1 ~= 0 then return M.float(value) end
  return value
end

--- A value as host.json reads it.
---@param value any
---@param kinds any
function M.of_json(value, kinds)
  if value == nil or value == json.null then return M.none end
  if type(value) == "number" then return of_number(value, kinds) end
  if type(value) ~= "table" then return value end
  kinds = kinds or {}
  if json.is_array(value) then
    local items = {}
    for i, item in ipairs(value) do items[i] = M.of_json(item, kinds[i]) end
    return M.list(items)
  end
  local dict = M.dict()
  for _, key in ipairs(json.keys(value)) do M.put(dict, key, M.of_json(value[key], kinds[key])) end
  return dict
end

-- Truth and equality -----------------------------------------------------------------------------

local LENGTHS = {
  str = characters.length,
  list = function(value) return #value end,
  tuple = function(value) return #value end,
  range = function(value) return #value end,
  view = function(value) return #value end,
  dict = function(value) return #value.order end,
  markup = function(value) return characters.length(value.text) end,
  undefined = function() return 0 end,
}

--- len(value), nil for what has none.
---@return integer?
function M.length(value)
  local of = LENGTHS[M.kind(value)]
  return of and of(value)
end

function M.truth(value)
  if type(value) == "boolean" then return value end
  if type(value) == "number" then return value ~= 0 end
  if type(value) == "string" then return value ~= "" end
  if value.kind == "float" then return value.value ~= 0 end
  if value.kind == "none" then return false end
  local length = M.length(value)
  return length == nil or length > 0
end

--- The value of a number or a boolean, nil for all else.
---@return number?
function M.number(value)
  if type(value) == "number" then return value end
  if type(value) == "boolean" then return value and 1 or 0 end
  return type(value) == "table" and value.kind == "float" and value.value or nil
end

local function equal_lists(a, b)
  if #a ~= #b then return false end
  for i = 1, #a do
    if not M.equal(a[i], b[i]) then return false end
  end
  return true
end

local function equal_dicts(a, b)
  if #a.order ~= #b.order then return false end
  for at, value in pairs(a.values) do
    if b.values[at] == nil or not M.equal(value, b.values[at]) then return false end
  end
  return true
end

--- ==
function M.equal(a, b)
  local x, y = M.number(a), M.number(b)
  if x and y then return x == y end
  local kind = M.kind(a)
  if kind ~= M.kind(b) then return false end
  if kind == "list" or kind == "tuple" or kind == "range" then return equal_lists(a, b) end
  if kind == "dict" then return equal_dicts(a, b) end
  return kind == "undefined" or a == b
end

local function less_lists(a, b)
  for i = 1, math.min(#a, #b) do
    if not M.equal(a[i], b[i]) then return M.less(a[i], b[i]) end
  end
  return #a < #b
end

--- <
function M.less(a, b)
  local x, y = M.number(a), M.number(b)
  if x and y then return x < y end
  local kind = M.kind(a)
  if kind == M.kind(b) then
    if kind == "str" then return a < b end
    if kind == "list" or kind == "tuple" then return less_lists(a, b) end
  end
  limits.fail(("'<' is not supported between '%s' and '%s'"):format(M.type_name(a),
    M.type_name(b)))
end

local LISTS = { list = true, tuple = true, range = true, view = true }

--- The items that a loop goes over: of a list, of a tuple, the keys of a dict, the characters of a
--- text. Nil for what cannot be gone over.
---@return any[]?
function M.items(value)
  local kind = M.kind(value)
  if LISTS[kind] then return value end
  if kind == "dict" then return value.order end
  if kind == "generator" then
    local made = value.make
    value.make = function() return {} end
    return made()
  end
  if kind == "str" then return characters.list(value) end
  if kind == "undefined" then return {} end
  return nil
end

--- Raises for text that is safe for HTML: what it does beside being written is not here.
function M.refuse_markup(value)
  if M.kind(value) ~= "markup" then return end
  limits.fail("the filters safe and escape are supported only where a value is written", nil,
    "unsupported")
end

--- As `items`, and an error for what cannot be gone over.
function M.iterate(value)
  local items = M.items(value)
  if items then return items end
  M.refuse_markup(value)
  limits.fail(("'%s' object is not iterable"):format(M.type_name(value)))
end

return M
