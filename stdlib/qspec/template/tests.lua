-- Tests of Jinja: what stands behind `is`.
--
-- Source: Jinja 3.1, tests.py. An entry is { params, required?, run(value, arguments, engine) }.

local limits = require "qspec.template.limits"
local operators = require "qspec.template.operators"
local printing = require "qspec.template.printing"
local texts = require "qspec.template.texts"
local values = require "qspec.template.values"

local M = {}

local function of_kind(...)
  local kinds = {}
  for _, kind in ipairs { ... } do kinds[kind] = true end
  return { params = {}, run = function(value) return kinds[values.kind(value)] or false end }
end

M.undefined = of_kind("undefined")
M.none = of_kind("none")
M.boolean = of_kind("bool")
M.integer = of_kind("int")
M.float = of_kind("float")
M.number = of_kind("int", "float", "bool")
M.string = of_kind("str", "markup")
M.mapping = of_kind("dict")
M.callable = of_kind("function", "loop", "undefined")
M.escaped = of_kind("markup")
M.sequence = of_kind("str", "list", "tuple", "dict", "range", "markup", "undefined")
M.iterable = of_kind("str", "list", "tuple", "dict", "range", "view", "generator", "markup",
  "undefined", "loop")

M.defined = { params = {}, run = function(value) return values.kind(value) ~= "undefined" end }
M["true"] = { params = {}, run = function(value) return value == true end }
M["false"] = { params = {}, run = function(value) return value == false end }

local function remainder(value, divisor, engine)
  return operators.binary["%"](value, divisor, engine.meter)
end

M.odd = { params = {}, run = function(value, _, engine)
  return values.equal(remainder(value, 2, engine), 1)
end }
M.even = { params = {}, run = function(value, _, engine)
  return values.equal(remainder(value, 2, engine), 0)
end }
M.divisibleby = { params = { "num" }, required = 1, run = function(value, o, engine)
  return values.equal(remainder(value, o.num, engine), 0)
end }

M.lower = { params = {}, run = function(value, _, engine)
  return texts.methods.islower.run(printing.str(value, engine.meter))
end }
M.upper = { params = {}, run = function(value, _, engine)
  return texts.methods.isupper.run(printing.str(value, engine.meter))
end }

-- Python's `is`: numbers and texts that are equal are mostly one object, but that is its affair.
M.sameas = { params = { "other" }, required = 1, run = function(value, o)
  if type(value) == "table" or type(o.other) == "table" or type(value) == "boolean" then
    return value == o.other
  end
  limits.fail("'sameas' between numbers or texts is not supported", nil, "unsupported")
end }

local function comparison(operator)
  return { params = { "other" }, required = 1, run = function(value, o, engine)
    return operators.compare[operator](value, o.other, engine.meter)
  end }
end

for operator, names in pairs { ["=="] = { "==", "eq", "equalto" }, ["!="] = { "!=", "ne" },
  [">"] = { ">", "gt", "greaterthan" }, [">="] = { ">=", "ge" }, ["<"] = { "<", "lt", "lessthan" },
  ["<="] = { "<=", "le" }, ["in"] = { "in" } } do
  for _, name in ipairs(names) do M[name] = comparison(operator) end
end

local function exists(kind)
  return { params = {}, run = function(value, _, engine)
    if values.kind(value) == "list" or values.kind(value) == "dict" then
      limits.fail(("unhashable type: '%s'"):format(values.type_name(value)))
    end
    return engine:has(kind, value)
  end }
end

M.filter, M.test = exists("filter"), exists("test")

return M
