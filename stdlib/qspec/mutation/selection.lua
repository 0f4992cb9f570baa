-- Which operators and doses a command line means.

local doses = require "qspec.mutation.doses"
local glob = require "qspec.glob"
local nearest = require "qspec.nearest"
local outcome = require "qspec.outcome"

local M = {}

local function words(text)
  local list = {}
  for word in text:gmatch("[^,%s]+") do list[#list + 1] = word end
  return list
end

local function refuse(what, word, known)
  local close = nearest(word, known)
  error(outcome.error("usage", ("there is no %s '%s'"):format(what, word),
    close and ("did you mean '%s'?"):format(close) or table.concat(known, ", ")), 0)
end

local function by_id(list)
  table.sort(list, function(a, b)
    if a.id ~= b.id then return a.id < b.id end
    return a.name < b.name
  end)
  return list
end

local function names_of(operators)
  local names = {}
  for _, operator in ipairs(operators) do
    names[#names + 1], names[#names + 2] = operator.id, operator.name
  end
  return names
end

--- The operators that a list of names, numbers and patterns means; all without one.
---@param operators table[]
---@param text string|nil
---@return table[] in the order of their numbers
function M.operators(operators, text)
  if not text then return by_id(operators) end
  local chosen, list = {}, {}
  for _, word in ipairs(words(text)) do
    local matches, hit = glob.compile(word), false
    for _, operator in ipairs(operators) do
      if matches(operator.id) or matches(operator.name) then
        hit, chosen[operator] = true, true
      end
    end
    if not hit then refuse("operator", word, names_of(operators)) end
  end
  for operator in pairs(chosen) do list[#list + 1] = operator end
  return by_id(list)
end

--- A set of doses, nil for all.
---@param text string|nil
---@return table<string, boolean>|nil
function M.doses(text)
  if not text then return nil end
  local set = {}
  for _, word in ipairs(words(text)) do
    if not doses.rank(word) then refuse("dose", word, doses.ORDER) end
    set[word] = true
  end
  return set
end

return M
