-- Filters of lists and mappings. Source: Jinja 3.1, filters.py.

local arguments = require "qspec.template.arguments"
local getters = require "qspec.template.getters"
local limits = require "qspec.template.limits"
local operators = require "qspec.template.operators"
local ordering = require "qspec.template.ordering"
local printing = require "qspec.template.printing"
local texts = require "qspec.template.texts"
local values = require "qspec.template.values"
local case = require "qspec.template.case"

local given, flag = arguments.given, arguments.flag

local function integer(value, otherwise)
  return arguments.integer(value, otherwise, "the filter")
end

local M = {}

M.length = { params = {}, run = function(value)
  local length = values.length(value)
  if length then return length end
  limits.fail(("object of type '%s' has no len()"):format(values.type_name(value)))
end }
M.count = M.length

M.list = { params = {}, run = function(value, _, engine)
  local copy = values.list {}
  for i, item in ipairs(values.iterate(value)) do copy[i] = item end
  engine.meter:step(#copy)
  return copy
end }

M.first = { params = {}, run = function(value)
  local first = values.iterate(value)[1]
  return first == nil and values.undefined() or first
end }

M.last = { params = {}, run = function(value)
  if values.kind(value) == "generator" then limits.fail("'generator' object is not reversible") end
  local items = values.iterate(value)
  local last = items[#items]
  return last == nil and values.undefined() or last
end }

M.reverse = { params = {}, run = function(value)
  local items = values.iterate(value)
  local turned = {}
  for i = #items, 1, -1 do turned[#turned + 1] = items[i] end
  if type(value) == "string" then return table.concat(turned) end
  return values.generator(function() return turned end)
end }

M.join = { params = { "d", "attribute" }, run = function(value, o, engine)
  local get, separator = getters.of(engine, o.attribute), o.d == nil and "" or o.d
  return texts.joined(printing.str(separator, engine.meter), values.iterate(value), engine.meter,
    function(item) return printing.str(get(item), engine.meter) end)
end }

local function sort_key(engine, o)
  local attribute = given(o.attribute)
  if type(attribute) ~= "string" or not attribute:find(",", 1, true) then
    return getters.key(engine, attribute, o.case_sensitive)
  end
  local parts = {}
  for part in (attribute .. ","):gmatch("([^,]*),") do
    parts[#parts + 1] = getters.key(engine, part, o.case_sensitive)
  end
  return function(item)
    local key = {}
    for i, get in ipairs(parts) do key[i] = get(item) end
    return values.list(key)
  end
end

M.sort = { params = { "reverse", "case_sensitive", "attribute" }, run = function(value, o, engine)
  return values.list(ordering.sort(values.iterate(value), sort_key(engine, o), flag(o.reverse),
    engine.meter))
end }

local function pairs_of(dict)
  if values.kind(dict) ~= "dict" then limits.fail("wants a mapping") end
  local items = {}
  for i, key in ipairs(dict.order) do items[i] = values.tuple { key, values.get(dict, key) } end
  return items
end

M.items = { params = {}, run = function(value)
  return values.generator(function()
    return values.kind(value) == "undefined" and {} or pairs_of(value)
  end)
end }

M.dictsort = { params = { "case_sensitive", "by", "reverse" }, run = function(value, o, engine)
  local place = ({ key = 0, value = 1 })[o.by or "key"]
  if not place then limits.fail('dictsort sorts by "key" or by "value"') end
  return values.list(ordering.sort(pairs_of(value), getters.key(engine, place, o.case_sensitive),
    flag(o.reverse), engine.meter))
end }

M.unique = { params = { "case_sensitive", "attribute" }, run = function(value, o, engine)
  local key_of = getters.key(engine, o.attribute, o.case_sensitive)
  return values.generator(function()
    local seen, kept = values.dict(), {}
    for _, item in ipairs(values.iterate(value)) do
      local key = key_of(item)
      engine.meter:step()
      if not values.key(key) or values.get(seen, key) == nil then
        values.put(seen, key, true)
        kept[#kept + 1] = item
      end
    end
    return kept
  end)
end }

local function extreme(largest)
  return { params = { "case_sensitive", "attribute" }, run = function(value, o, engine)
    local best = ordering.extreme(values.iterate(value),
      getters.key(engine, o.attribute, o.case_sensitive), largest)
    return best == nil and values.undefined() or best
  end }
end

M.min, M.max = extreme(false), extreme(true)

M.sum = { params = { "attribute", "start" }, run = function(value, o, engine)
  local get, total = getters.of(engine, o.attribute), o.start == nil and 0 or o.start
  if type(total) == "string" then limits.fail("sum does not add texts") end
  for _, item in ipairs(values.iterate(value)) do
    total = operators.binary["+"](total, get(item), engine.meter)
  end
  return total
end }

M.groupby = { params = { "attribute", "default", "case_sensitive" }, required = 1,
  run = function(value, o, engine)
    local get = getters.of(engine, o.attribute, given(o.default))
    local function key_of(item)
      local key = get(item)
      return type(key) == "string" and not flag(o.case_sensitive) and case.lower(key) or key
    end
    local groups, last = values.list {}, nil
    for _, item in ipairs(ordering.sort(values.iterate(value), key_of, false, engine.meter)) do
      local key = key_of(item)
      if not last or not values.equal(last.key, key) then
        last = { key = key, items = values.list {} }
        groups[#groups + 1] = values.tuple { get(item), last.items }
        groups[#groups].fields = { grouper = 1, list = 2 }
      end
      last.items[#last.items + 1] = item
    end
    return groups
  end }

M.batch = { params = { "linecount", "fill_with" }, required = 1, run = function(value, o, engine)
  return values.generator(function()
    local rows, size = {}, integer(o.linecount)
    for _, item in ipairs(values.iterate(value)) do
      engine.meter:step()
      if #rows == 0 or #rows[#rows] == size then rows[#rows + 1] = values.list {} end
      local row = rows[#rows]
      row[#row + 1] = item
    end
    local row, filler = rows[#rows], given(o.fill_with)
    while row and filler ~= nil and #row < size do
      engine.meter:step()
      row[#row + 1] = filler
    end
    return rows
  end)
end }

M.slice = { params = { "slices", "fill_with" }, required = 1, run = function(value, o, engine)
  return values.generator(function()
    local items, count, rows = values.iterate(value), integer(o.slices), {}
    if count == 0 then limits.fail("division by zero") end
    local size, longer, at = math.floor(#items / count), #items % count, 0
    for number_of = 1, count do
      local row = values.list {}
      engine.meter:step(size + 1)
      for _ = 1, size + (number_of <= longer and 1 or 0) do
        at = at + 1
        row[#row + 1] = items[at]
      end
      if given(o.fill_with) ~= nil and number_of > longer then row[#row + 1] = o.fill_with end
      rows[number_of] = row
    end
    return rows
  end)
end }

return M
