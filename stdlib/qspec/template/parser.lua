-- Statements of a template: tokens to nodes.
--
-- Source: Jinja 3.1, parser.py, with its extension loopcontrols and transformers' {% generation %}.

local Parser = require "qspec.template.expressions"
local nearest = require "qspec.nearest"
local tokens_of = require "qspec.template.lexer"

local STATEMENTS = {}

-- Tags that load other templates or change how all is escaped: nothing in a checkpoint does.
local REFUSED = { block = true, extends = true, include = true, from = true, import = true,
  autoescape = true, trans = true, ["do"] = true, debug = true }

local ASSIGNABLE = { name = true, tuple = true, attribute_of_namespace = true }

local function check_target(self, node)
  if not ASSIGNABLE[node.kind] then
    self:fail("this cannot be assigned to, wanted a name", node.line)
  elseif node.kind == "name" and node.name == "loop" and self.loops > 0 then
    self:fail("'loop' cannot be assigned to within a loop", node.line)
  end
  for _, item in ipairs(node.kind == "tuple" and node.items or {}) do check_target(self, item) end
  return node
end

function Parser:target(o)
  o.simple = true
  return check_target(self, self:tuple(o))
end

function Parser:target_name()
  local token = self:expect("name")
  return token.value
end

local function any_of(self, words)
  for _, word in ipairs(words) do
    if self:is("name", word) then return true end
  end
  return false
end

-- The nodes up to a tag that begins with one of `ends`; the end of the template for none.
function Parser:nodes(ends, opened)
  local list = {}
  while not self:is("end") do
    local token = self:next()
    if token.type == "data" then
      list[#list + 1] = self:node("data", token.line, { text = token.value })
    elseif token.type == "{{" then
      list[#list + 1] = self:node("output", token.line, { value = self:tuple {} })
      self:expect("}}")
    else
      if ends and any_of(self, ends) then return list end
      list[#list + 1] = self:nested(self.statement)
      self:expect("%}")
    end
  end
  if ends then
    self:fail(("the template ends within a block, wanted '%s'"):format(ends[#ends]), opened)
  end
  return list
end

-- A block's body; its last tag is left to be looked at.
function Parser:body(...)
  local opened = self:token().line
  self:take(":")
  self:expect("%}")
  return self:nodes({ ... }, opened)
end

-- A body whose last tag has one word.
function Parser:whole_body(word)
  local list = self:body(word)
  self:next()
  return list
end

function Parser:statement()
  local token = self:token()
  if token.type ~= "name" then self:fail("a tag begins with no name") end
  local parse = rawget(STATEMENTS, token.value)
  if parse then
    self:next()
    return parse(self, token.line)
  elseif REFUSED[token.value] then
    self:refuse(("the tag '%s' is not supported in chat templates"):format(token.value))
  end
  local known = {}
  for word in pairs(STATEMENTS) do known[#known + 1] = word end
  table.sort(known)
  local close = nearest(token.value, known)
  self:fail(("unknown tag '%s'%s"):format(token.value,
    close and (", did you mean '%s'?"):format(close) or ""))
end

function STATEMENTS.set(self, line)
  local target = self:target { namespace = true }
  if self:take("=") then
    return self:node("set", line, { target = target, value = self:tuple {} })
  end
  local filters = {}
  while self:is("|") do filters[#filters + 1] = self:filter(nil) end
  return self:node("set_block", line, { target = target, filters = filters,
    body = self:whole_body("endset") })
end

STATEMENTS["for"] = function(self, line)
  self.loops = self.loops + 1
  local node = self:node("for", line, { target = self:target { ends = "in" } })
  self:expect("name", "in")
  node.over = self:tuple { unconditional = true, ends = "recursive" }
  if self:take("name", "if") then node.test = self:expression() end
  node.recursive = self:take("name", "recursive") ~= nil
  node.body = self:body("else", "endfor")
  self.loops = self.loops - 1
  if self:next().value == "else" then node.otherwise = self:whole_body("endfor") end
  return node
end

STATEMENTS["if"] = function(self, line)
  local node = self:node("if", line, { branches = {} })
  local word
  repeat
    local test = self:tuple { unconditional = true }
    node.branches[#node.branches + 1] = { test = test, body = self:body("elif", "else", "endif") }
    word = self:next().value
  until word ~= "elif"
  if word == "else" then node.otherwise = self:whole_body("endif") end
  return node
end

-- A body that is called: 'break' does not leave it.
local function callable_body(self, word)
  local loops = self.loops
  self.loops = 0
  local body = self:whole_body(word)
  self.loops = loops
  return body
end

local function signature(self)
  local parameters, defaults = {}, false
  self:expect("(")
  while not self:is(")") do
    if #parameters > 0 then self:expect(",") end
    local parameter = { name = self:target_name() }
    if self:take("=") then
      parameter.default, defaults = self:expression(), true
    elseif defaults then
      self:fail("a parameter without a default follows one with")
    end
    parameters[#parameters + 1] = parameter
  end
  self:expect(")")
  return parameters
end

-- What a macro's body names beside its parameters decides what calls may pass.
local function mentions(node, name)
  if type(node) ~= "table" then return false end
  if node.kind == "name" and node.name == name then return true end
  for _, child in pairs(node) do
    if mentions(child, name) then return true end
  end
  return false
end

local function macro(self, kind, line, name, parameters, word)
  local body = callable_body(self, word)
  return self:node(kind, line, { name = name, parameters = parameters, body = body,
    takes_rest = mentions(body, "varargs"), takes_named = mentions(body, "kwargs"),
    takes_caller = mentions(body, "caller") })
end

function STATEMENTS.macro(self, line)
  local name = self:target_name()
  return macro(self, "macro", line, name, signature(self), "endmacro")
end

function STATEMENTS.call(self, line)
  local parameters = self:is("(") and signature(self) or {}
  local called = self:expression()
  if called.kind ~= "call" then self:fail("found no call, wanted 'call macro(...)'", line) end
  return self:node("call_block", line, { called = called,
    caller = macro(self, "macro", line, "caller", parameters, "endcall") })
end

function STATEMENTS.filter(self, line)
  local filters = { self:filter(nil, true) }
  while self:is("|") do filters[#filters + 1] = self:filter(nil) end
  return self:node("filter_block", line, { filters = filters,
    body = self:whole_body("endfilter") })
end

STATEMENTS["with"] = function(self, line)
  local bindings = {}
  while not self:is("%}") do
    if #bindings > 0 then self:expect(",") end
    local target = check_target(self, self:tuple { simple = true, ends = "=" })
    self:expect("=")
    bindings[#bindings + 1] = { target = target, value = self:expression() }
  end
  return self:node("with", line, { bindings = bindings, body = self:whole_body("endwith") })
end

-- transformers marks here which tokens a model is trained on; the text is the same.
function STATEMENTS.generation(self, line)
  return self:node("scope", line, { body = callable_body(self, "endgeneration") })
end

function STATEMENTS.print(self, line)
  local values = {}
  while not self:is("%}") do
    if #values > 0 then self:expect(",") end
    values[#values + 1] = self:node("output", line, { value = self:expression() })
  end
  return self:node("list_of_nodes", line, { nodes = values })
end

local function loop_control(kind)
  return function(self, line)
    if self.loops == 0 then self:fail(("'%s' outside of a loop"):format(kind), line) end
    return self:node(kind, line)
  end
end

STATEMENTS["break"] = loop_control("break")
STATEMENTS["continue"] = loop_control("continue")

-- Blocks with names of their own.
local INNER = { ["for"] = true, macro = true, with = true, set_block = true, filter_block = true,
  call_block = true, scope = true }

-- Jinja looks filters and tests up when it compiles, but not those that a condition of the same
-- block may keep from being used.
local function check_known(node, known, conditional)
  if type(node) ~= "table" then return end
  local kind = node.kind
  if (kind == "filter" or kind == "test") and not conditional and not known[kind](node.name) then
    error({ template = true, message = ("there is no %s '%s'"):format(kind, node.name),
      line = node.line }, 0)
  end
  local below = (kind == "if" or kind == "conditional" or conditional) and not INNER[kind]
  for _, child in pairs(node) do check_known(child, known, below) end
end

---@param source string
---@param known { filter: fun(name: string): any, test: fun(name: string): any }
---@return table[] nodes
local function parse(source, known)
  local nodes = Parser.new(tokens_of(source)):nodes()
  check_known(nodes, known, false)
  return nodes
end

return parse
