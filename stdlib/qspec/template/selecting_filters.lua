-- Filters that go over items with another filter or a test. Source: Jinja 3.1, filters.py.

local arguments = require "qspec.template.arguments"
local getters = require "qspec.template.getters"
local limits = require "qspec.template.limits"
local values = require "qspec.template.values"

local given = arguments.given

local M = {}

local function rest_of(list, first)
  local rest = {}
  for i = first, #list do rest[#rest + 1] = list[i] end
  return rest
end

-- What map makes of one item: another filter's value, or an attribute.
local function mapper(positional, named, engine)
  if #positional == 0 and named.values.attribute ~= nil then
    local o = arguments.bind("map", { "attribute", "default" }, 1, positional, named)
    return getters.of(engine, o.attribute, given(o.default))
  end
  local name, rest = positional[1], rest_of(positional, 2)
  if name == nil then limits.fail("map wants the name of a filter") end
  return function(item) return engine:filter(name, item, rest, named) end
end

-- A generator over the items that `pick` returns, if any.
local function generated(value, engine, make_pick)
  return values.generator(function()
    if not values.truth(value) then return {} end
    local pick, kept = make_pick(), {}
    for _, item in ipairs(values.iterate(value)) do
      engine.meter:step()
      kept[#kept + 1] = pick(item)
    end
    return kept
  end)
end

M.map = { spread = true, run = function(value, positional, named, engine)
  return generated(value, engine, function() return mapper(positional, named, engine) end)
end }

local function selector(wanted, by_attribute)
  return { spread = true, run = function(value, positional, named, engine)
    return generated(value, engine, function()
      if by_attribute and positional[1] == nil then
        limits.fail("wants the name of an attribute")
      end
      local get = getters.of(engine, by_attribute and positional[1] or nil)
      local name = positional[by_attribute and 2 or 1]
      local rest = rest_of(positional, by_attribute and 3 or 2)
      return function(item)
        local subject = get(item)
        if name ~= nil then subject = engine:test(name, subject, rest, named) end
        if values.truth(subject) == wanted then return item end
      end
    end)
  end }
end

M.select, M.reject = selector(true), selector(false)
M.selectattr, M.rejectattr = selector(true, true), selector(false, true)

return M
