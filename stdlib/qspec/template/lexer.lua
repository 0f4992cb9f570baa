-- Template text to tokens, as Jinja's lexer makes them with trim_blocks and lstrip_blocks.
--
-- Source: Jinja 3.1, lexer.py (Lexer.tokeniter); transformers 5.17 sets both options.
--
-- A token is { type, value, line }: "data", "string", "integer", "float", "name", the brackets and
-- operators by their own text, and "{%", "%}", "{{", "}}".

local characters = require "qspec.template.characters"
local limits = require "qspec.template.limits"

local OPERATORS = { "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(",
  ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";" }
local CLOSES = { ["("] = ")", ["["] = "]", ["{"] = "}" }
local ESCAPES = { n = "\n", t = "\t", r = "\r", a = "\a", b = "\b", f = "\f", v = "\v",
  ["\\"] = "\\", ["'"] = "'", ['"'] = '"', ["\n"] = "" }
local HEXADECIMAL = { x = 2, u = 4, U = 8 }

local Lexer = {}
Lexer.__index = Lexer

function Lexer:fail(message)
  error({ template = true, message = message, line = self.line }, 0)
end

function Lexer:add(kind, value)
  self.tokens[#self.tokens + 1] = { type = kind, value = value, line = self.line }
end

-- Goes on behind `last`, counting the lines passed.
function Lexer:pass(last)
  local _, lines = self.source:sub(self.at, last):gsub("\n", "")
  self.line, self.at = self.line + lines, last + 1
end

local function skip_spaces(source, at)
  while at <= #source do
    local character = source:match("^[%z\1-\127\194-\244][\128-\191]*", at)
    if not (character and characters.is_space(character)) then break end
    at = at + #character
  end
  return at
end

-- The place behind the end of a tag, and behind what its sign swallows; nil when it does not end
-- at `at`.
local function tag_end(source, at, mark, trims)
  if source:sub(at, at + 2) == "-" .. mark then return skip_spaces(source, at + 3) end
  if trims and source:sub(at, at + 2) == "+" .. mark then return at + 3 end
  if source:sub(at, at + 1) ~= mark then return nil end
  at = at + 2
  return trims and source:sub(at, at) == "\n" and at + 1 or at
end

-- Text in front of a tag, less what the tag's sign and lstrip_blocks take away.
function Lexer:data(text, sign, is_expression)
  if sign == "-" then
    text = characters.strip_right(text)
  elseif sign ~= "+" and not is_expression then
    local from = text:match("()[^\n]*$")
    if (from > 1 or self.line_starts) and characters.strip(text:sub(from)) == "" then
      text = text:sub(1, from - 1)
    end
  end
  if text ~= "" then self:add("data", text) end
end

local function decode_hexadecimal(lexer, text, at, digits)
  local hex = text:match("^" .. ("%x"):rep(digits), at)
  if not hex then lexer:fail("an escape in a text lacks digits") end
  local code = tonumber(hex, 16)
  if code > 0x10ffff or code >= 0xd800 and code < 0xe000 then
    lexer:fail(("\\u%s is no character"):format(hex))
  end
  return characters.encode(code)
end

-- What is written between quotation marks as Python's unicode-escape reads it.
local function unescape(lexer, text)
  local parts, at = {}, 1
  while true do
    local place = text:find("\\", at, true)
    if not place then break end
    parts[#parts + 1] = text:sub(at, place - 1)
    local letter = text:sub(place + 1, place + 1)
    local octal = text:match("^[0-7][0-7]?[0-7]?", place + 1)
    if ESCAPES[letter] then
      parts[#parts + 1], at = ESCAPES[letter], place + 2
    elseif HEXADECIMAL[letter] then
      parts[#parts + 1] = decode_hexadecimal(lexer, text, place + 2, HEXADECIMAL[letter])
      at = place + 2 + HEXADECIMAL[letter]
    elseif octal then
      parts[#parts + 1], at = characters.encode(tonumber(octal, 8)), place + 1 + #octal
    elseif letter == "N" then
      lexer:fail("\\N{...} in a text is not supported")
    else
      parts[#parts + 1], at = "\\", place + 1
    end
  end
  return table.concat(parts) .. text:sub(at)
end

function Lexer:string(quote)
  local at = self.at + 1
  while true do
    local place = self.source:find("[\\" .. quote .. "]", at)
    if not place then self:fail("a text is not closed") end
    if self.source:sub(place, place) == quote then
      self:add("string", unescape(self, self.source:sub(self.at + 1, place - 1)))
      return self:pass(place)
    end
    at = place + 2
  end
end

local function whole(lexer, digits, base)
  local value = tonumber((digits:gsub("_", "")), base)
  if not value or value > 2 ^ 53 then
    lexer:fail(("the number %s is too large to be exact"):format(digits:sub(1, 40)))
  end
  return value
end

local BASES = { b = { "[01]", 2 }, o = { "[0-7]", 8 }, x = { "%x", 16 } }

function Lexer:number()
  local source, at = self.source, self.at
  local based = BASES[(source:match("^0(%a)", at) or ""):lower()]
  local digits = based and source:match("^0%a([%x_]+)", at)
  if digits and not digits:find("[^_" .. based[1]:gsub("[%[%]]", "") .. "]") then
    self:add("integer", whole(self, digits, based[2]))
    return self:pass(at + 1 + #digits)
  end
  local mantissa = source:match("^%d[%d_]*", at)
  local fraction = source:match("^%.%d[%d_]*", at + #mantissa) or ""
  local exponent = source:match("^[eE][+-]?%d[%d_]*", at + #mantissa + #fraction) or ""
  if source:sub(at - 1, at - 1) == "." then fraction, exponent = "", "" end
  local text = mantissa .. fraction .. exponent
  if #text == #mantissa then
    if mantissa:find("^0[_0]*[1-9]") then self:fail("a whole number begins with 0") end
    self:add("integer", whole(self, mantissa, 10))
  else
    self:add("float", tonumber((text:gsub("_", ""))))
  end
  self:pass(at + #text - 1)
end

function Lexer:operator()
  for _, operator in ipairs(OPERATORS) do
    if self.source:sub(self.at, self.at + #operator - 1) == operator then
      if CLOSES[operator] then
        self.open[#self.open + 1] = CLOSES[operator]
      elseif operator == ")" or operator == "]" or operator == "}" then
        local wanted = table.remove(self.open)
        if wanted ~= operator then
          self:fail(("unexpected '%s'%s"):format(operator,
            wanted and (", wanted '%s'"):format(wanted) or ""))
        end
      end
      self:add(operator)
      return self:pass(self.at + #operator - 1)
    end
  end
  local character = self.source:match("^[%z\1-\127\194-\244][\128-\191]*", self.at)
  self:fail(("unexpected character '%s'"):format(require("qspec.printable").line(character or "")))
end

function Lexer:token(opened, mark)
  local first = self.source:sub(self.at, self.at)
  if first == "" then
    self.line = opened
    self:fail(("a tag is not closed, wanted '%s'"):format(mark))
  elseif first == "'" or first == '"' then
    self:string(first)
  elseif first:find("%d") then
    self:number()
  elseif first:find("[%a_]") then
    local name = self.source:match("^[%w_]+", self.at)
    self:add("name", name)
    self:pass(self.at + #name - 1)
  else
    self:operator()
  end
end

-- The inside of a tag up to its end.
function Lexer:inside(mark)
  local opened = self.line
  while true do
    local behind = #self.open == 0 and tag_end(self.source, self.at, mark, mark == "%}")
    if behind then
      self:add(mark)
      return self:pass(behind - 1)
    end
    local at = skip_spaces(self.source, self.at)
    if at > self.at then self:pass(at - 1) else self:token(opened, mark) end
  end
end

function Lexer:comment()
  local at = self.source:find("#}", self.at, true)
  if not at then self:fail("a comment is not closed, wanted '#}'") end
  local sign = at > self.at and self.source:sub(at - 1, at - 1) or ""
  local from = (sign == "-" or sign == "+") and at - 1 or at
  self:pass(tag_end(self.source, from, "#}", true) - 1)
end

-- What is between {% raw %} and {% endraw %}, as it stands.
function Lexer:raw(behind)
  self:pass(behind - 1)
  local at = self.at
  while true do
    local from, _, sign = self.source:find("{%%([-+]?)%s*endraw%s*", at)
    if not from then self:fail("a raw block is not closed, wanted '{% endraw %}'") end
    local _, last = self.source:find("^{%%[-+]?%s*endraw%s*", from)
    local ended = tag_end(self.source, last + 1, "%}", true)
    if ended then
      self:data(self.source:sub(self.at, from - 1), sign, false)
      return self:pass(ended - 1)
    end
    at = from + 2
  end
end

local function raw_begin(source, at)
  local _, last = source:find("^{%%[-+]?%s*raw%s*", at)
  return last and tag_end(source, last + 1, "%}", false)
end

function Lexer:tag(at)
  local kind, sign = self.source:match("^{([{%%#])([-+]?)", at)
  local raw = raw_begin(self.source, at)
  self:data(self.source:sub(self.at, at - 1), sign, kind == "{")
  self:pass(at + 1 + #sign)
  if raw then
    self:raw(raw)
  elseif kind == "#" then
    self:comment()
  else
    self:add(kind == "{" and "{{" or "{%")
    self:inside(kind == "{" and "}}" or "%}")
  end
  self.line_starts = self.source:sub(self.at - 1, self.at - 1) == "\n"
end

-- Line feeds of one kind, and not the last one.
local function normalized(source)
  source = source:gsub("\r\n", "\n"):gsub("\r", "\n")
  return (source:gsub("\n$", ""))
end

---@param source string
---@return table[] tokens
local function tokens(source)
  if #source > limits.TEXT_BYTES then limits.fail("the template is longer than 16 MB") end
  local lexer = setmetatable({ source = normalized(source), at = 1, line = 1, tokens = {},
    open = {}, line_starts = true }, Lexer)
  while true do
    local at = lexer.source:find("{[{%%#]", lexer.at)
    if not at then break end
    lexer:tag(at)
  end
  local rest = lexer.source:sub(lexer.at)
  if rest ~= "" then lexer:add("data", rest) end
  lexer:add("end")
  return lexer.tokens
end

return tokens
