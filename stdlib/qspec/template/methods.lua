-- Methods of texts, lists, tuples and dictionaries. Those that would change a value are refused, as
-- Jinja's immutable sandbox does.

local arguments = require "qspec.template.arguments"
local formatting = require "qspec.template.formatting"
local limits = require "qspec.template.limits"
local texts = require "qspec.template.texts"
local values = require "qspec.template.values"

local LIST = {}

LIST.count = { params = { "item" }, required = 1, run = function(list, o, meter)
  local count = 0
  meter:step(#list)
  for _, item in ipairs(list) do
    if values.equal(item, o.item) then count = count + 1 end
  end
  return count
end }

LIST.index = { params = { "item" }, required = 1, run = function(list, o, meter)
  meter:step(#list)
  for i, item in ipairs(list) do
    if values.equal(item, o.item) then return i - 1 end
  end
  limits.fail("the item is not in the list")
end }

local function copied(list)
  local copy = values.list {}
  for i, item in ipairs(list) do copy[i] = item end
  return copy
end

local DICT = {}

local function view(name, entry)
  return { params = {}, run = function(dict, _, meter)
    local list = values.view {}
    list.name = name
    meter:step(#dict.order)
    for i, key in ipairs(dict.order) do list[i] = entry(key, values.get(dict, key)) end
    return list
  end }
end

DICT.keys = view("dict_keys", function(key) return key end)
DICT.values = view("dict_values", function(_, value) return value end)
DICT.items = view("dict_items", function(key, value) return values.tuple { key, value } end)
DICT.get = { params = { "key", "default" }, required = 1, run = function(dict, o)
  if not values.key(o.key) then
    limits.fail(("unhashable type: '%s'"):format(values.type_name(o.key)))
  end
  local value = values.get(dict, o.key)
  if value == nil then value = o.default end
  return value == nil and values.none or value
end }
DICT.copy = { params = {}, run = function(dict) return dict end }

local METHODS = { str = texts.methods, list = LIST, tuple = LIST, dict = DICT,
  range = LIST }

-- Methods that Python has and nothing here: found, and refused when called.
local REFUSED = {
  str = { encode = true, expandtabs = true, format_map = true, isascii = true, isidentifier = true,
    isprintable = true, istitle = true, maketrans = true, translate = true },
  list = { append = true, clear = true, extend = true, insert = true, pop = true, remove = true,
    reverse = true, sort = true },
  dict = { clear = true, fromkeys = true, pop = true, popitem = true, setdefault = true,
    update = true },
}

local function refusal(name, kind)
  return values.callable(name, function()
    limits.fail(("the method '%s' of a %s is not allowed in a template"):format(name,
      kind == "str" and "text" or kind), nil, "unsupported")
  end)
end

local M = {}

--- The method of a value, bound to it; nil when it has none of the name.
---@param value any
---@param name string
function M.of(value, name)
  local kind = values.kind(value)
  if REFUSED[kind] and REFUSED[kind][name] then return refusal(name, kind) end
  if kind == "str" and name == "format" then
    return values.callable(name, function(meter, positional, named)
      return formatting.format(value, positional, named, meter)
    end)
  elseif kind == "list" and name == "copy" then
    return values.callable(name, function() return copied(value) end)
  end
  local method = METHODS[kind] and rawget(METHODS[kind], name)
  if not method then return nil end
  return values.callable(name, function(meter, positional, named)
    if not method.keywords and #named.order > 0 then
      limits.fail(("%s takes no named arguments"):format(name))
    end
    return method.run(value, arguments.bind(name, method.params, method.required or 0, positional,
      named), meter)
  end)
end

return M
