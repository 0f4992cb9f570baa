-- Statements of a template, carried out.

local Engine = require "qspec.template.engine"
local Loop = require "qspec.template.loops"
local limits = require "qspec.template.limits"
local printing = require "qspec.template.printing"
local values = require "qspec.template.values"

local EXECUTE = {}

--- Carries out nodes in order.
---@return "break"|"continue"|nil what a loop control asked for
function Engine:execute(nodes)
  for _, node in ipairs(nodes) do
    self.meter:step()
    self.line = node.line
    local control = EXECUTE[node.kind](self, node)
    if control then return control end
  end
end

function EXECUTE.data(engine, node) engine:write(node.text) end

function EXECUTE.output(engine, node)
  engine:write(printing.str(engine:evaluate(node.value), engine.meter))
end

function EXECUTE.list_of_nodes(engine, node) return engine:execute(node.nodes) end

EXECUTE["break"] = function() return "break" end
EXECUTE["continue"] = function() return "continue" end

-- Names that are set -----------------------------------------------------------------------------

local assign

local function unpack_into(engine, targets, value)
  local items = values.iterate(value)
  if #items ~= #targets then
    limits.fail(("%d values for %d names"):format(#items, #targets))
  end
  for i, target in ipairs(targets) do assign(engine, target, items[i]) end
end

function assign(engine, target, value)
  if target.kind == "tuple" then return unpack_into(engine, target.items, value) end
  if target.kind == "name" then
    engine.scope.names[target.name] = value
    return
  end
  local namespace = engine:lookup(target.name)
  if values.kind(namespace) ~= "namespace" then
    limits.fail(("'%s' is no namespace, its attribute '%s' cannot be set"):format(target.name,
      target.attribute))
  end
  values.put(namespace.fields, target.attribute, value)
end

function EXECUTE.set(engine, node)
  assign(engine, node.target, engine:evaluate(node.value))
end

-- What a block writes, through its filters.
local function filtered_body(engine, node)
  local text = engine:captured(Engine.within, engine.scope, Engine.execute, node.body)
  for _, filter in ipairs(node.filters) do text = engine:filtered(text, filter) end
  return text
end

function EXECUTE.set_block(engine, node)
  assign(engine, node.target, filtered_body(engine, node))
end

function EXECUTE.filter_block(engine, node)
  engine:write(printing.str(filtered_body(engine, node), engine.meter))
end

EXECUTE["with"] = function(engine, node)
  local given = {}
  for i, binding in ipairs(node.bindings) do given[i] = engine:evaluate(binding.value) end
  return engine:within(engine.scope, function()
    for i, binding in ipairs(node.bindings) do assign(engine, binding.target, given[i]) end
    return engine:execute(node.body)
  end)
end

function EXECUTE.scope(engine, node)
  engine:within(engine.scope, Engine.execute, node.body)
end

-- Branches and loops -----------------------------------------------------------------------------

EXECUTE["if"] = function(engine, node)
  for _, branch in ipairs(node.branches) do
    if values.truth(engine:evaluate(branch.test)) then return engine:execute(branch.body) end
  end
  if node.otherwise then return engine:execute(node.otherwise) end
end

-- Whether an item passes the condition of a loop.
local function condition(engine, node, scope)
  return node.test and function(item)
    return engine:within(scope, function()
      assign(engine, node.target, item)
      return values.truth(engine:evaluate(node.test))
    end)
  end
end

-- One round; true when it was left early.
local function round(engine, node, scope, loop, item)
  return engine:within(scope, function()
    assign(engine, node.target, item)
    engine.scope.names.loop = loop.value
    return engine:execute(node.body)
  end)
end

local function run_loop(engine, node, scope, over, depth)
  local again = node.recursive and function(items, inner_depth)
    return engine:captured(run_loop, node, scope, items, inner_depth)
  end
  local loop = Loop.new(values.iterate(over), condition(engine, node, scope), depth, again)
  local completed = false
  while true do
    engine.meter:step()
    local found, item = loop:next()
    local control = found and round(engine, node, scope, loop, item)
    if not found or control == "break" then break end
    completed = completed or not control
  end
  -- As in Jinja, a loop none of whose rounds came to its end runs its else.
  if not completed and node.otherwise then
    return engine:within(scope, Engine.execute, node.otherwise)
  end
end

EXECUTE["for"] = function(engine, node)
  return run_loop(engine, node, engine.scope, engine:evaluate(node.over), 0)
end

-- Macros -----------------------------------------------------------------------------------------

local function named_rest(named, taken)
  local rest = values.dict()
  for _, name in ipairs(named.order) do
    if not taken[name] then values.put(rest, name, named.values[name]) end
  end
  return rest
end

local function check_rest(node, positional, rest)
  if #rest.order > 0 and not node.takes_named then
    limits.fail(("macro '%s' takes no argument '%s'"):format(node.name, rest.order[1]))
  elseif #positional > #node.parameters and not node.takes_rest then
    limits.fail(("macro '%s' takes at most %d arguments, %d given"):format(node.name,
      #node.parameters, #positional))
  end
end

local function bind_parameters(engine, node, positional, named)
  local taken, names = {}, engine.scope.names
  for i, parameter in ipairs(node.parameters) do
    local value = positional[i]
    if value == nil and named.values[parameter.name] ~= nil then
      value, taken[parameter.name] = named.values[parameter.name], true
    end
    names[parameter.name] = value
  end
  if node.takes_caller and names.caller == nil then
    local caller = named.values.caller
    names.caller, taken.caller = caller == nil and values.undefined("caller") or caller, true
  end
  local rest = named_rest(named, taken)
  check_rest(node, positional, rest)
  if node.takes_named and names.kwargs == nil then names.kwargs = rest end
  if node.takes_rest and names.varargs == nil then
    local varargs = {}
    for i = #node.parameters + 1, #positional do varargs[#varargs + 1] = positional[i] end
    names.varargs = values.tuple(varargs)
  end
  for _, parameter in ipairs(node.parameters) do
    if names[parameter.name] == nil then
      names[parameter.name] = parameter.default and engine:evaluate(parameter.default)
        or values.undefined(parameter.name)
    end
  end
end

local function macro_value(engine, node)
  local scope = engine.scope
  local macro = values.callable(node.name, function(_, positional, named)
    return engine:captured(Engine.within, scope, function()
      bind_parameters(engine, node, positional, named)
      engine:execute(node.body)
    end)
  end)
  macro.shown = ("<Macro '%s'>"):format(node.name)
  return macro
end

function EXECUTE.macro(engine, node)
  engine.scope.names[node.name] = macro_value(engine, node)
end

function EXECUTE.call_block(engine, node)
  local call = node.called
  local macro = engine:evaluate(call.value)
  local positional, named = engine:arguments(call.call)
  if named.values.caller ~= nil then limits.fail("two values for the argument 'caller'") end
  named.order[#named.order + 1] = "caller"
  named.values.caller = macro_value(engine, node.caller)
  engine:write(printing.str(engine:call(macro, positional, named), engine.meter))
end

return Engine
