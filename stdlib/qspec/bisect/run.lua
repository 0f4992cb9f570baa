-- One bisection: both ends first, then the search, then what confirms it.

local exchange = require "qspec.bisect.exchange"
local glob = require "qspec.glob"
local nearest = require "qspec.nearest"
local outcome = require "qspec.outcome"
local random = require "qspec.mutation.random"
local search = require "qspec.bisect.search"

local M = {}

local MOST_DIFFERENCES = 3
local MOST_ALONE = 8  -- modules that are each judged alone, for the report

---@class qspec.Bisection
---@field exchange qspec.Exchange
---@field judge qspec.Judge
---@field is_partial boolean only some modules may be exchanged
---@field checkpoint {holds: boolean, said: string} of all units from the checkpoint
---@field baseline {holds: boolean, said: string}
---@field culprits qspec.Culprits places in exchange.units
---@field without {holds: boolean, said: string} those named from the baseline
---@field only {holds: boolean, said: string} those named alone from the checkpoint
---@field each {holds: boolean, said: string}[] each of those named alone, unless they are many
---@field added_db table<integer, number> the error that each unit adds by itself, by place

local function all_places(count)
  local list = {}
  for i = 1, count do list[i] = i end
  return list
end

-- Fisher and Yates's shuffle.
local function shuffled(list, seed)
  local numbers = random.of("bisect " .. seed)
  for i = #list, 2, -1 do
    local other = numbers:below(i)
    list[i], list[other] = list[other], list[i]
  end
  return list
end

-- Plain values of the two configs that differ, for a fault that no weight has.
local function config_differences(subject)
  local parts, ours, theirs = {}, subject.config, subject.baseline.config
  for key, value in pairs(ours) do
    local other = theirs[key]
    if type(value) ~= "table" and type(other) ~= "table" and value ~= other
        and not key:find("dtype$") and not key:find("^_") then
      parts[#parts + 1] = ("%s %s, the baseline's %s"):format(key, tostring(value), tostring(other))
    end
  end
  table.sort(parts)
  return table.concat(parts, "; ", 1, math.min(#parts, MOST_DIFFERENCES))
end

local function never_changes(what, ends, hint, where)
  error(outcome.error("usage", ("'%s' %s: %s %s, its program with the baseline's weights %s")
    :format(ends.text, what, ends.is_partial and "with these modules the checkpoint's it is"
    or "the checkpoint has", ends.checkpoint.said, ends.baseline.said), hint, where), 0)
end

local function check_ends(ends, subject)
  local wrong, right = not ends.checkpoint.holds, ends.baseline.holds
  if wrong and right then return end
  if right then
    never_changes("holds already", ends, ends.is_partial and "a wider --modules, or ask for more"
      or "nothing is to be found; ask for more", subject.path)
  elseif not wrong then
    never_changes("fails only with the baseline's weights", ends,
      "is the comparison the right way round?", subject.path)
  end
  local differences = config_differences(subject)
  never_changes("fails with the baseline's weights too", ends, differences ~= ""
    and "no module is to blame; config.json differs: " .. differences
    or "no module is to blame: ask for less, or look at the tokenizer and the config", subject.path)
end

local function check_pattern(pattern, matches, subject)
  local names = {}
  for i, row in ipairs(subject.census.modules) do
    if matches(row.name) then return end
    names[i] = row.name
  end
  local close = nearest(pattern, names)
  error(outcome.error("usage", ("--modules %s matches no module"):format(pattern),
    close and ("did you mean '%s'?"):format(close) or "the first is " .. names[1], subject.path), 0)
end

local function check_units(units, subject)
  if #units > 0 then return end
  error(outcome.error("usage", "no module that may be exchanged differs from the baseline's",
    "a wider --modules, or another baseline", subject.path), 0)
end

local function without(list, others)
  local left, gone = {}, {}
  for _, place in ipairs(others) do gone[place] = true end
  for _, place in ipairs(list) do
    if not gone[place] then left[#left + 1] = place end
  end
  return left
end

-- An encoder-decoder has no text to be ranked by.
local function ranked(judging, windows)
  return function(list)
    if judging.exchange.subject.architecture.encoder_decoder then return list end
    local order = {}
    for i, one in ipairs(judging:ranked(list, windows)) do order[i] = one.place end
    return order
  end
end

local function confirm(result, list)
  local culprits, verdict = result.culprits, function(set) return result.judge:verdict(set) end
  result.without = verdict(without(list, culprits.enough))
  result.only = verdict(culprits.named)
  result.each = {}
  for i, place in ipairs(culprits.named) do
    result.each[i] = #culprits.named <= MOST_ALONE and verdict { place } or nil
  end
end

--- Opens a subject for bisection.
---@param subject table
---@param pattern string|nil of modules that may be exchanged
---@return qspec.Exchange
function M.open(subject, pattern)
  local matches = pattern and glob.compile(pattern)
  if matches then check_pattern(pattern, matches, subject) end
  local opened = exchange.open(subject, matches)
  opened.is_partial = pattern ~= nil
  check_units(opened.units, subject)
  return opened
end

--- Finds which units break what a judge asks for. Raises when both ends are alike.
---@param judging qspec.Judge
---@param options {windows: (fun(): integer[][]), seed: integer|nil} tokens to rank units with and
---  to measure their errors on
---@return qspec.Bisection
function M.bisect(judging, options)
  local opened = judging.exchange
  local list = all_places(#opened.units)
  local result = { exchange = opened, judge = judging, text = judging.text,
    is_partial = opened.is_partial,
    checkpoint = judging:verdict(list), baseline = judging:verdict {} }
  check_ends(result, opened.subject)
  local order = options.seed and shuffled(all_places(#list), options.seed) or list
  result.culprits = search.culprits(order, function(set) return judging:fails(set) end,
    ranked(judging, options.windows))
  confirm(result, list)
  local has_text = not opened.subject.architecture.encoder_decoder
  result.added_db = has_text and opened:added_db(options.windows()[1]) or {}
  return result
end

return M
