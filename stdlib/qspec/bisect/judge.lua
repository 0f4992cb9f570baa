-- Says of a set of modules whether the model that has these from the checkpoint is as it should be.
-- Each set is evaluated once.

local measures = require "qspec.bisect.measures"
local outcome = require "qspec.outcome"
local runner = require "qspec.runner"
local tier = require "qspec.tier"
local Context = require "qspec.context"

local M = {}

---@class qspec.Judge
---@field text string what is asked for, in words
---@field evaluations integer models that were run
local Judge = {}
Judge.__index = Judge

local function key_of(set)
  local sorted = { unpack(set) }
  table.sort(sorted)
  return table.concat(sorted, ",")
end

--- What was found of the baseline with a set of units from the checkpoint.
---@param set integer[]
---@return {holds: boolean, said: string}
function Judge:verdict(set)
  local key = key_of(set)
  if not self.known[key] then
    self.evaluations = self.evaluations + 1
    if self.on_progress then self.on_progress(self.evaluations) end
    self.known[key] = self.judge(self.exchange:with(set))
  end
  return self.known[key]
end

function Judge:fails(set)
  return not self:verdict(set).holds
end

--- Whether it fails of the whole checkpoint.
function Judge:fails_of_all()
  local all = {}
  for i = 1, #self.exchange.units do all[i] = i end
  return self:fails(all)
end

local function new(exchange, text, judge, on_progress)
  return setmetatable({ exchange = exchange, text = text, judge = judge, evaluations = 0,
    known = {}, on_progress = on_progress }, Judge)
end

local function merge(values, more)
  for name, value in pairs(more) do values[name] = value end
end

--- By a predicate on measures.
---@param exchange qspec.Exchange
---@param predicate table of qspec.bisect.predicate
---@param given {windows: integer[][], prompts: any[], max_new_tokens: integer}
---@return qspec.Judge
function M.by_predicate(exchange, predicate, given, on_progress)
  local wanted
  local function continuations(model)
    return measures.continuations(exchange:as_subject(model), given.prompts, given.max_new_tokens)
  end
  return new(exchange, predicate.text, function(model)
    local values = {}
    if predicate:needs("text") then
      merge(values, measures.of_text(model, exchange.reference, given.windows))
    end
    if predicate:needs("prompts") then
      wanted = wanted or continuations(exchange.reference)
      merge(values, measures.of_prompts(continuations(model), wanted))
    end
    return { holds = predicate:holds(values), said = predicate:describe(values), values = values }
  end, on_progress)
end

-- The parts of a check that run the model: what others look at does not change.
local function running_parts(declaration)
  local parts = {}
  for _, part in ipairs(runner.parts(declaration)) do
    if tier.rank(part.tier) >= tier.rank("forward") then parts[#parts + 1] = part end
  end
  return parts
end

local function said_of(ctx)
  local finding = ctx.findings[1]
  if not finding then return ctx.said or "no finding" end
  local number = tonumber(finding.found)
  return ("%s %s"):format(finding.key or finding.module or "finding",
    number and ("%.4g"):format(number) or tostring(finding.found))
end

--- By a check of a spec: it passes.
---@param exchange qspec.Exchange
---@param declaration table
---@return qspec.Judge
function M.by_check(exchange, declaration, on_progress)
  return new(exchange, ("the check '%s' passes"):format(declaration.name), function(model)
    local ctx = Context.new { subject = exchange:as_subject(model), params = declaration.params,
      where = declaration.where }
    for _, part in ipairs(running_parts(declaration)) do
      local ok, err = pcall(part.run, ctx)
      if not ok and Context.is_skip(err) then
        error(outcome.error("usage", ("the check '%s' is skipped: %s"):format(declaration.name,
          ctx.skipped.reason), "name a condition with --predicate", declaration.where), 0)
      elseif not ok then
        error(err, 0)
      end
    end
    return { holds = #ctx.findings == 0, said = said_of(ctx) }
  end, on_progress)
end

local function badness(one)
  local kl = one.values["kl.mean"]
  return kl == kl and kl or math.huge
end

local function worst_first(list)
  table.sort(list, function(a, b)
    local first, second = badness(a), badness(b)
    if first ~= second then return first > second end
    return a.place < b.place
  end)
  return list
end

--- How far each unit alone moves the baseline: the mean divergence of a text, worst first.
---@param exchange qspec.Exchange
---@param windows integer[][]
---@param places integer[]
---@param on_progress (fun(done: integer, total: integer, name: string))|nil
---@return {place: integer, values: table<string, number>}[]
function M.sensitivities(exchange, windows, places, on_progress)
  local list = {}
  for i, place in ipairs(places) do
    if on_progress then on_progress(i, #places, exchange.units[place].name) end
    list[i] = { place = place, values = measures.of_text(exchange:with { place },
      exchange.reference, windows) }
  end
  return worst_first(list)
end

--- Units by what each does alone, worst first; from what is known of them already, if it is.
---@param places integer[]
---@param windows fun(): integer[][]
---@return {place: integer, values: table<string, number>}[]
function Judge:ranked(places, windows)
  local list = {}
  for i, place in ipairs(places) do
    local known = self.known[key_of { place }]
    local values = known and known.values
    if not (values and values["kl.mean"]) then
      self.evaluations = self.evaluations + #places
      return M.sensitivities(self.exchange, windows(), places)
    end
    list[i] = { place = place, values = values }
  end
  return worst_first(list)
end

return M
