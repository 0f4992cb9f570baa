-- What must hold of a model, in a small closed language: conditions joined by `and`, each a measure
-- with a comparison and a number ("kl.mean < 0.02") or a fact ("tokens_equal", "not
-- first_token_changed").

local nearest = require "qspec.nearest"
local outcome = require "qspec.outcome"

local M = {}

---@class qspec.Measure
---@field kind "number"|"fact"
---@field of "text"|"prompts" what it is measured on
---@field summary string

--- By name, what a predicate can speak of.
---@type table<string, qspec.Measure>
M.MEASURES = {
  ["kl.mean"] = { kind = "number", of = "text", summary = "mean divergence, in nats" },
  ["kl.median"] = { kind = "number", of = "text", summary = "its median" },
  ["kl.p90"] = { kind = "number", of = "text", summary = "its 90th percentile" },
  ["kl.p99"] = { kind = "number", of = "text", summary = "its 99th percentile" },
  ["kl.p999"] = { kind = "number", of = "text", summary = "its 99.9th percentile" },
  ["kl.max"] = { kind = "number", of = "text", summary = "its largest value" },
  same_top = { kind = "number", of = "text",
    summary = "share of tokens where both have the same best one" },
  perplexity = { kind = "number", of = "text", summary = "of the text" },
  perplexity_ratio = { kind = "number", of = "text", summary = "over the baseline's" },
  tokens_equal = { kind = "fact", of = "prompts",
    summary = "greedy continuations are the baseline's, token by token" },
  first_token_changed = { kind = "fact", of = "prompts",
    summary = "the first token of a continuation is not the baseline's" },
}

-- NaN fails all of them.
local COMPARISONS = {
  ["<"] = function(a, b) return a < b end,
  ["<="] = function(a, b) return a <= b end,
  [">"] = function(a, b) return a > b end,
  [">="] = function(a, b) return a >= b end,
}

function M.names()
  local names = {}
  for name in pairs(M.MEASURES) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local Parser = {}
Parser.__index = Parser

function Parser:refuse(at, message, hint)
  error(outcome.error("usage", ("--predicate '%s', column %d: %s"):format(self.text, at, message),
    hint), 0)
end

-- A token and its column; at the end an empty one.
function Parser:next()
  local at = self.text:find("%S", self.at) or #self.text + 1
  for _, pattern in ipairs { "^[%a_][%w_.]*", "^[<>]=?", "^[-+]?%.?%d[%w.]*[-+]?%d*", "^." } do
    local token = self.text:match(pattern, at)
    if token then
      self.at = at + #token
      return token, at
    end
  end
  return "", at
end

local function shown(token)
  return token == "" and "the end" or "'" .. token .. "'"
end

function Parser:measure(token, at)
  local measure = M.MEASURES[token]
  if measure then return measure end
  local close = token ~= "" and nearest(token, M.names())
  self:refuse(at, ("found %s, wanted a measure"):format(shown(token)),
    close and ("did you mean '%s'?"):format(close) or table.concat(M.names(), ", "))
end

function Parser:comparison(name)
  local operator, at = self:next()
  if not COMPARISONS[operator] then
    self:refuse(at, ("found %s, wanted a comparison of %s: < <= > >="):format(shown(operator),
      name))
  end
  local token, place = self:next()
  local number = tonumber(token)
  if not number or token:find("^[-+]?0?%a") then  -- LuaJIT reads 0x10, nan and inf too
    self:refuse(place, ("found %s, wanted a number"):format(shown(token)))
  end
  return { name = name, operator = operator, number = number }
end

function Parser:condition()
  local token, at = self:next()
  local is_negated = token == "not"
  if is_negated then token, at = self:next() end
  local measure = self:measure(token, at)
  if measure.kind == "fact" then return { name = token, wanted = not is_negated } end
  if is_negated then
    self:refuse(at, token .. " is a number, and 'not' goes before a fact",
      "turn the comparison round")
  end
  return self:comparison(token)
end

local Predicate = {}
Predicate.__index = Predicate

local function condition_holds(condition, value)
  if condition.operator then return COMPARISONS[condition.operator](value, condition.number) end
  return value == condition.wanted
end

--- Whether all conditions hold of measured values; NaN fulfils none.
---@param values table<string, number|boolean>
---@return boolean
function Predicate:holds(values)
  for _, condition in ipairs(self.conditions) do
    if not condition_holds(condition, values[condition.name]) then return false end
  end
  return true
end

--- Whether it asks for what is measured on "text" or on "prompts".
function Predicate:needs(evidence)
  for _, condition in ipairs(self.conditions) do
    if M.MEASURES[condition.name].of == evidence then return true end
  end
  return false
end

local function value_text(value)
  if type(value) == "boolean" then return tostring(value) end
  return value ~= value and "NaN" or ("%.4g"):format(value)
end

--- The values that it speaks of, for a person: "kl.mean 0.31".
function Predicate:describe(values)
  local parts, said = {}, {}
  for _, condition in ipairs(self.conditions) do
    if not said[condition.name] then
      parts[#parts + 1] = condition.name .. " " .. value_text(values[condition.name])
      said[condition.name] = true
    end
  end
  return table.concat(parts, ", ")
end

--- Reads a predicate; raises with the column and the nearest name.
---@param text string
---@return table predicate {text, conditions}
function M.parse(text)
  local parser = setmetatable({ text = text, at = 1 }, Parser)
  local conditions = { parser:condition() }
  while true do
    local token, at = parser:next()
    if token == "" then break end
    if token ~= "and" then
      parser:refuse(at, ("found %s, wanted 'and' or the end"):format(shown(token)))
    end
    conditions[#conditions + 1] = parser:condition()
  end
  return setmetatable({ text = text, conditions = conditions }, Predicate)
end

return M
