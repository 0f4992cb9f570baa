-- Expressions of a template: tokens to nodes.
--
-- Source: Jinja 3.1, parser.py; the order of precedence is that of the functions below. A node is
-- { kind, line, ... }.

local limits = require "qspec.template.limits"

local Parser = {}
Parser.__index = Parser

local CONSTANTS = { ["true"] = true, ["True"] = true, ["false"] = true, ["False"] = true,
  none = true, None = true }
local COMPARISONS = { ["=="] = true, ["!="] = true, [">"] = true, [">="] = true, ["<"] = true,
  ["<="] = true }
local ARGUMENT_OF_TEST = { name = true, string = true, integer = true, float = true, ["("] = true,
  ["["] = true, ["{"] = true }
local NO_ARGUMENT = { ["else"] = true, ["or"] = true, ["and"] = true }

---@param tokens table[]
function Parser.new(tokens)
  return setmetatable({ tokens = tokens, at = 1, depth = 0, loops = 0 }, Parser)
end

function Parser:fail(message, line)
  error({ template = true, message = message, line = line or self:token().line }, 0)
end

--- For what Jinja has and is not here.
function Parser:refuse(message)
  error({ template = true, message = message, line = self:token().line, kind = "unsupported" }, 0)
end

function Parser:token()
  return self.tokens[self.at]
end

function Parser:next()
  local token = self.tokens[self.at]
  if token.type ~= "end" then self.at = self.at + 1 end
  return token
end

function Parser:is(kind, value)
  local token = self:token()
  return token.type == kind and (value == nil or token.value == value)
end

function Parser:take(kind, value)
  return self:is(kind, value) and self:next() or nil
end

local function shown(token)
  if token.type == "end" then return "the end of the template" end
  if token.type == "data" then return "text" end
  return ("'%s'"):format(tostring(token.value or token.type))
end

function Parser:expect(kind, value)
  local token = self:take(kind, value)
  if token then return token end
  self:fail(("found %s, wanted %s"):format(shown(self:token()),
    kind == "name" and not value and "a name" or ("'%s'"):format(value or kind)))
end

-- Runs a parsing function one level deeper.
function Parser:nested(parse, ...)
  self.depth = self.depth + 1
  if self.depth > limits.DEPTH then
    self:fail(("nested deeper than %d"):format(limits.DEPTH))
  end
  local node = parse(self, ...)
  self.depth = self.depth - 1
  return node
end

function Parser.node(_, kind, line, fields)
  fields = fields or {}
  fields.kind, fields.line = kind, line
  return fields
end

-- Left-associative operators of one level.
local function binary(operators, operand)
  return function(self)
    local left = self[operand](self)
    while operators[self:token().type] do
      local operator = self:next()
      left = self:node("binary", operator.line, { operator = operator.type, left = left,
        right = self[operand](self) })
    end
    return left
  end
end

local function logical(word, operand)
  return function(self)
    local left = self[operand](self)
    while self:is("name", word) do
      local line = self:next().line
      left = self:node(word, line, { left = left, right = self[operand](self) })
    end
    return left
  end
end

Parser.parse_pow = binary({ ["**"] = true }, "unary")
Parser.parse_product = binary({ ["*"] = true, ["/"] = true, ["//"] = true, ["%"] = true },
  "parse_pow")
Parser.parse_sum = binary({ ["+"] = true, ["-"] = true }, "parse_concat")
Parser.parse_and = logical("and", "parse_not")
Parser.parse_or = logical("or", "parse_and")

function Parser:expression()
  return self:nested(self.conditional)
end

function Parser:conditional()
  local value = self:parse_or()
  while self:is("name", "if") do
    local line = self:next().line
    local test, otherwise = self:parse_or(), nil
    if self:take("name", "else") then otherwise = self:expression() end
    value = self:node("conditional", line, { test = test, value = value, otherwise = otherwise })
  end
  return value
end

function Parser:parse_not()
  if not self:is("name", "not") then return self:compare() end
  local line = self:next().line
  return self:node("not", line, { value = self:nested(self.parse_not) })
end

function Parser:comparison()
  if COMPARISONS[self:token().type] then return self:next().type end
  if self:take("name", "in") then return "in" end
  local after = self.tokens[self.at + 1]
  if self:is("name", "not") and after.type == "name" and after.value == "in" then
    self.at = self.at + 2
    return "not in"
  end
end

function Parser:compare()
  local line, first, rest = self:token().line, self:parse_sum(), {}
  while true do
    local operator = self:comparison()
    if not operator then break end
    rest[#rest + 1] = { operator = operator, value = self:parse_sum() }
  end
  if #rest == 0 then return first end
  return self:node("compare", line, { first = first, rest = rest })
end

function Parser:parse_concat()
  local line, parts = self:token().line, { self:parse_product() }
  while self:take("~") do parts[#parts + 1] = self:parse_product() end
  if #parts == 1 then return parts[1] end
  return self:node("concat", line, { parts = parts })
end

function Parser:signed()
  local token = self:take("-") or self:take("+")
  return token and self:node("sign", token.line, { operator = token.type,
    value = self:nested(self.unary, true) })
end

function Parser:unary(without_filters)
  local node = self:postfix(self:signed() or self:primary())
  return without_filters and node or self:filters(node)
end

function Parser:named_primary(with_namespace)
  local token = self:next()
  if CONSTANTS[token.value] then
    local word = token.value:lower()
    return self:node("constant", token.line, { value = word == "true", none = word == "none" })
  elseif with_namespace and self:take(".") then
    return self:node("attribute_of_namespace", token.line, { name = token.value,
      attribute = self:expect("name").value })
  end
  return self:node("name", token.line, { name = token.value })
end

function Parser:primary(with_namespace)
  local token = self:token()
  if token.type == "name" then return self:named_primary(with_namespace) end
  if token.type == "string" then
    local parts = {}
    while self:is("string") do parts[#parts + 1] = self:next().value end
    return self:node("constant", token.line, { value = table.concat(parts) })
  elseif token.type == "integer" or token.type == "float" then
    self:next()
    return self:node("constant", token.line, { value = token.value,
      float = token.type == "float" })
  elseif token.type == "(" then
    self:next()
    local node = self:tuple { parentheses = true }
    self:expect(")")
    return node
  elseif token.type == "[" then
    return self:list()
  elseif token.type == "{" then
    return self:dict()
  end
  self:fail(("unexpected %s"):format(shown(token)))
end

function Parser:ends_tuple(word)
  return self:is("}}") or self:is("%}") or self:is(")") or (word and self:is("name", word))
end

-- One expression, or several with commas between: a tuple.
---@param o {parentheses?: boolean, simple?: boolean, namespace?: boolean, unconditional?: boolean,
---  ends?: string}
function Parser:tuple(o)
  local line, items, is_tuple = self:token().line, {}, false
  while true do
    if #items > 0 then self:expect(",") end
    if self:ends_tuple(o.ends) then break end
    items[#items + 1] = o.simple and self:primary(o.namespace)
      or o.unconditional and self:nested(self.parse_or) or not o.simple and self:expression()
    if not self:is(",") then break end
    is_tuple = true
  end
  if not is_tuple and #items > 0 then return items[1] end
  if not is_tuple and not o.parentheses then
    self:fail(("found %s, wanted an expression"):format(shown(self:token())))
  end
  return self:node("tuple", line, { items = items })
end

function Parser:list()
  local line, items = self:expect("[").line, {}
  while not self:is("]") do
    if #items > 0 then self:expect(",") end
    if self:is("]") then break end
    items[#items + 1] = self:expression()
  end
  self:expect("]")
  return self:node("list", line, { items = items })
end

function Parser:dict()
  local line, items = self:expect("{").line, {}
  while not self:is("}") do
    if #items > 0 then self:expect(",") end
    if self:is("}") then break end
    local key = self:expression()
    self:expect(":")
    items[#items + 1] = { key = key, value = self:expression() }
  end
  self:expect("}")
  return self:node("dict", line, { items = items })
end

function Parser:postfix(node)
  while true do
    if self:is(".") or self:is("[") then
      node = self:subscript(node)
    elseif self:is("(") then
      node = self:call(node)
    else
      return node
    end
  end
end

function Parser:filters(node)
  while true do
    if self:is("|") then
      node = self:filter(node)
    elseif self:is("name", "is") then
      node = self:test(node)
    elseif self:is("(") then
      node = self:call(node)
    else
      return node
    end
  end
end

function Parser:subscript(node)
  local token = self:next()
  if token.type == "." then
    local name = self:next()
    if name.type == "name" then
      return self:node("attribute", token.line, { value = node, name = name.value })
    elseif name.type ~= "integer" then
      self:fail(("found %s, wanted a name or a number"):format(shown(name)), name.line)
    end
    return self:node("item", token.line, { value = node,
      key = self:node("constant", name.line, { value = name.value }) })
  end
  local keys = {}
  while not self:is("]") do
    if #keys > 0 then self:expect(",") end
    keys[#keys + 1] = self:key()
  end
  self:expect("]")
  local key = #keys == 1 and keys[1] or self:node("tuple", token.line, { items = keys })
  return self:node("item", token.line, { value = node, key = key })
end

-- What stands in brackets behind a value: an expression or a slice.
function Parser:key()
  local line, parts = self:token().line, {}
  if not self:is(":") then
    parts[1] = self:expression()
    if not self:is(":") then return parts[1] end
  end
  for i = 2, 3 do
    if self:take(":") and not (self:is(":") or self:is("]") or self:is(",")) then
      parts[i] = self:expression()
    end
  end
  return self:node("slice", line, { first = parts[1], last = parts[2], step = parts[3] })
end

function Parser:argument(call)
  local after = self.tokens[self.at + 1]
  local function refuse_unless(fits)
    if not fits then self:fail("the arguments of a call are out of order") end
  end
  if self:take("*") then
    refuse_unless(not call.spread and not call.spread_named)
    call.spread = self:expression()
  elseif self:take("**") then
    refuse_unless(not call.spread_named)
    call.spread_named = self:expression()
  elseif self:is("name") and after.type == "=" then
    refuse_unless(not call.spread_named)
    local name = self:next().value
    self:next()
    call.named[#call.named + 1] = { name = name, value = self:expression() }
  else
    refuse_unless(not call.spread and not call.spread_named and #call.named == 0)
    call.arguments[#call.arguments + 1] = self:expression()
  end
end

function Parser:arguments()
  local call, first = { arguments = {}, named = {} }, true
  self:expect("(")
  while not self:is(")") do
    if not first then
      self:expect(",")
      if self:is(")") then break end
    end
    self:argument(call)
    first = false
  end
  self:expect(")")
  return call
end

function Parser:call(node)
  local line = self:token().line
  return self:node("call", line, { value = node, call = self:arguments() })
end

function Parser:dotted_name()
  local token = self:expect("name")
  local name = token.value
  while self:take(".") do name = name .. "." .. self:expect("name").value end
  return name, token.line
end

--- One filter, behind its bar unless `inline`.
function Parser:filter(node, inline)
  if not inline then self:expect("|") end
  local name, line = self:dotted_name()
  local call = self:is("(") and self:arguments() or { arguments = {}, named = {} }
  return self:node("filter", line, { value = node, name = name, call = call })
end

function Parser:test(node)
  local line = self:next().line
  local negated = self:take("name", "not")
  local name = self:dotted_name()
  local call = { arguments = {}, named = {} }
  local token = self:token()
  if token.type == "(" then
    call = self:arguments()
  elseif ARGUMENT_OF_TEST[token.type]
    and not (token.type == "name" and NO_ARGUMENT[token.value]) then
    if self:is("name", "is") then self:fail("tests with 'is' cannot be chained") end
    call.arguments[1] = self:postfix(self:primary())
  end
  local test = self:node("test", line, { value = node, name = name, call = call })
  return negated and self:node("not", line, { value = test }) or test
end

return Parser
