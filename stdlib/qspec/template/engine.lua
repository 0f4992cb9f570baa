-- One rendering of a template: names, output, and the evaluation of expressions.
--
-- Source: Jinja 3.1, compiler.py and sandbox.py (ImmutableSandboxedEnvironment). Values are data,
-- not objects: there is no attribute to walk along, and nothing of the host can be reached.

local arguments = require "qspec.template.arguments"
local filters = require "qspec.template.filters"
local functions = require "qspec.template.functions"
local limits = require "qspec.template.limits"
local methods = require "qspec.template.methods"
local operators = require "qspec.template.operators"
local printing = require "qspec.template.printing"
local tests = require "qspec.template.tests"
local values = require "qspec.template.values"

local Engine = {}
Engine.__index = Engine

local FUNCTIONS = { "range", "dict", "namespace", "joiner", "cycler", "lipsum", "raise_exception" }

local function global_scope(now)
  local names = { strftime_now = values.callable("strftime_now", functions.strftime_at(now)) }
  for _, name in ipairs(FUNCTIONS) do names[name] = values.callable(name, functions[name]) end
  return { names = names }
end

---@param context table<string, any> names that the template may use
---@param now string the moment of strftime_now
function Engine.new(context, now)
  local outer = { names = context, parent = global_scope(now) }
  return setmetatable({ meter = limits.meter(), scope = { names = {}, parent = outer }, line = 1,
    out = {}, bytes = 0 }, Engine)
end

-- Names ------------------------------------------------------------------------------------------

--- Runs `body` with names of its own.
function Engine:within(parent, body, ...)
  local outer = self.scope
  self.scope = { names = {}, parent = parent }
  local result = body(self, ...)
  self.scope = outer
  return result
end

function Engine:lookup(name)
  local scope = self.scope
  while scope do
    local value = rawget(scope.names, name)
    if value ~= nil then return value end
    scope = scope.parent
  end
  return values.undefined(name)
end

-- Output -----------------------------------------------------------------------------------------

function Engine:write(text)
  self.bytes = self.bytes + #text
  self.meter:text(#text)
  if self.bytes > limits.TEXT_BYTES then self.meter:text(self.bytes) end
  self.out[#self.out + 1] = text
end

--- What `body` writes, as a text.
function Engine:captured(body, ...)
  local out = self.out
  self.out = {}
  body(self, ...)
  local text = table.concat(self.out)
  self.out = out
  self.meter:text(#text)
  return text
end

-- Attributes, items, calls -----------------------------------------------------------------------

local function fail_undefined(value)
  if values.kind(value) ~= "undefined" then return end
  limits.fail(value.name and ("'%s' is undefined"):format(value.name) or "a value is undefined")
end

-- Methods, and the names of namespaces and loops; nil for none.
local function own_attribute(value, name)
  local kind = values.kind(value)
  if kind == "namespace" then return values.get(value.fields, name) end
  if kind == "loop" then return value.attribute(name) end
  local field = kind == "tuple" and value.fields and value.fields[name]
  if field then return value[field] end
  return methods.of(value, name)
end

--- What getattr() finds; undefined for nothing.
function Engine.own_attribute(_, value, name)
  if name == "__class__" then return values.undefined(name) end
  fail_undefined(value)
  values.refuse_markup(value)
  local found = own_attribute(value, name)
  if found == nil then return values.undefined(name) end
  return found
end

--- value.name
function Engine:attribute(value, name)
  local found = self:own_attribute(value, name)
  if values.kind(found) ~= "undefined" or name == "__class__" then return found end
  local item = operators.item(value, name)
  if item ~= nil then return item end
  return found
end

--- value[key]
function Engine:item(value, key)
  local found = operators.item(value, key)
  if found ~= nil then return found end
  if type(key) == "string" then return self:own_attribute(value, key) end
  return values.undefined(printing.str(key, self.meter))
end

function Engine:call(value, positional, named)
  fail_undefined(value)
  self.meter:step()
  if type(value) == "table" and value.call then
    self.meter:enter()
    local result = value.call(self.meter, positional, named)
    self.meter:leave()
    return result
  end
  values.refuse_markup(value)
  limits.fail(("'%s' object is not callable"):format(values.type_name(value)))
end

local FOLDERS = { filter = filters, test = tests }

function Engine.has(_, kind, name)
  return type(name) == "string" and rawget(FOLDERS[kind], name) ~= nil
end

local function apply(engine, kind, name, value, positional, named)
  if not engine:has(kind, name) then limits.fail(("there is no %s '%s'"):format(kind,
    printing.str(name, engine.meter))) end
  local entry = FOLDERS[kind][name]
  engine.meter:step()
  if entry.spread then return entry.run(value, positional, named, engine) end
  return entry.run(value, arguments.bind(("the %s '%s'"):format(kind, name), entry.params,
    entry.required or 0, positional, named), engine)
end

function Engine:filter(name, value, positional, named)
  return apply(self, "filter", name, value, positional, named)
end

function Engine:test(name, value, positional, named)
  return apply(self, "test", name, value, positional, named)
end

-- Expressions ------------------------------------------------------------------------------------

local EVALUATE = {}

function Engine:evaluate(node)
  self.meter:step()
  self.line = node.line
  return EVALUATE[node.kind](self, node)
end

local function spread_named(engine, node, named)
  local dict = engine:evaluate(node)
  if values.kind(dict) ~= "dict" then limits.fail("** wants a mapping") end
  for _, key in ipairs(dict.order) do
    if type(key) ~= "string" then limits.fail("names of arguments must be texts") end
    arguments.put(named, key, values.get(dict, key))
  end
end

--- The arguments of a call, evaluated.
---@return any[] positional
---@return table named
function Engine:arguments(call)
  local positional, named = {}, arguments.named()
  for i, node in ipairs(call.arguments) do positional[i] = self:evaluate(node) end
  if call.spread then
    for _, item in ipairs(values.iterate(self:evaluate(call.spread))) do
      positional[#positional + 1] = item
    end
  end
  for _, argument in ipairs(call.named) do
    arguments.put(named, argument.name, self:evaluate(argument.value))
  end
  if call.spread_named then spread_named(self, call.spread_named, named) end
  return positional, named
end

function EVALUATE.constant(_, node)
  if node.none then return values.none end
  if node.float then return values.float(node.value) end
  return node.value
end

function EVALUATE.name(engine, node)
  return engine:lookup(node.name)
end

local function evaluated(engine, nodes)
  local items = {}
  for i, node in ipairs(nodes) do items[i] = engine:evaluate(node) end
  return items
end

function EVALUATE.list(engine, node) return values.list(evaluated(engine, node.items)) end
function EVALUATE.tuple(engine, node) return values.tuple(evaluated(engine, node.items)) end

function EVALUATE.dict(engine, node)
  local dict = values.dict()
  for _, item in ipairs(node.items) do
    local key = engine:evaluate(item.key)
    values.put(dict, key, engine:evaluate(item.value))
  end
  return dict
end

function EVALUATE.attribute(engine, node)
  local value = engine:evaluate(node.value)
  engine.line = node.line
  return engine:attribute(value, node.name)
end

local function optional(engine, node)
  return node and engine:evaluate(node)
end

function EVALUATE.item(engine, node)
  local value = engine:evaluate(node.value)
  if node.key.kind == "slice" then
    local slice = node.key
    return operators.slice(value, optional(engine, slice.first), optional(engine, slice.last),
      optional(engine, slice.step), engine.meter)
  end
  return engine:item(value, engine:evaluate(node.key))
end

function EVALUATE.slice()
  limits.fail("a slice among several keys is not supported", nil, "unsupported")
end

function EVALUATE.call(engine, node)
  local value = engine:evaluate(node.value)
  local positional, named = engine:arguments(node.call)
  engine.line = node.line
  return engine:call(value, positional, named)
end

function EVALUATE.filter(engine, node)
  return engine:filtered(engine:evaluate(node.value), node)
end

--- A value through the filter of a node.
function Engine:filtered(value, node)
  local positional, named = self:arguments(node.call)
  self.line = node.line
  return self:filter(node.name, value, positional, named)
end

function EVALUATE.test(engine, node)
  local value = engine:evaluate(node.value)
  local positional, named = engine:arguments(node.call)
  engine.line = node.line
  return engine:test(node.name, value, positional, named)
end

function EVALUATE.binary(engine, node)
  local left, right = engine:evaluate(node.left), engine:evaluate(node.right)
  engine.line = node.line
  return operators.binary[node.operator](left, right, engine.meter)
end

function EVALUATE.sign(engine, node)
  return operators.sign(node.operator, engine:evaluate(node.value))
end

function EVALUATE.concat(engine, node)
  local parts, bytes = {}, 0
  for i, part in ipairs(node.parts) do
    parts[i] = printing.str(engine:evaluate(part), engine.meter)
    bytes = bytes + #parts[i]
  end
  engine.meter:text(bytes)
  return table.concat(parts)
end

EVALUATE["not"] = function(engine, node)
  return not values.truth(engine:evaluate(node.value))
end

EVALUATE["and"] = function(engine, node)
  local left = engine:evaluate(node.left)
  if not values.truth(left) then return left end
  return engine:evaluate(node.right)
end

EVALUATE["or"] = function(engine, node)
  local left = engine:evaluate(node.left)
  if values.truth(left) then return left end
  return engine:evaluate(node.right)
end

function EVALUATE.compare(engine, node)
  local left = engine:evaluate(node.first)
  for _, step in ipairs(node.rest) do
    local right = engine:evaluate(step.value)
    if not operators.compare[step.operator](left, right, engine.meter) then return false end
    left = right
  end
  return true
end

function EVALUATE.conditional(engine, node)
  if values.truth(engine:evaluate(node.test)) then return engine:evaluate(node.value) end
  if node.otherwise then return engine:evaluate(node.otherwise) end
  return values.undefined("an inline if without else")
end

return Engine
