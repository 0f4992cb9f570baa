-- Models with chosen faulty modules, without a file or a build for each: one model that an operator
-- damaged throughout gives its modules to the healthy one.

local exchange = require "qspec.bisect.exchange"
local evidence = require "qspec.bisect.evidence"
local judge = require "qspec.bisect.judge"
local predicate = require "qspec.bisect.predicate"
local registry = require "qspec.registry"
local survey = require "qspec.mutation.survey"
local system = require "host.system"
local Subject = require "qspec.subject"

local M = {}

local function variant_of(operator, name)
  for _, variant in ipairs(operator.variants and operator.variants() or {}) do
    if variant.name == name then return variant end
  end
  return { name = "" }
end

local function damaged(subject, name, variant)
  local operator = registry("operators").get(name)
  local mutant = survey.make(subject, { operator = operator, dose = "all", name = name,
    variant = variant_of(operator, variant) })
  return mutant:subject()
end

local Damaged = {}
Damaged.__index = Damaged

--- The exchange of a model in which these units are damaged.
---@param places integer[]
function Damaged:exchange(places)
  local names = {}
  for _, place in ipairs(places) do
    for _, name in ipairs(self.healthy.units[place].modules) do names[#names + 1] = name end
  end
  local faulty = setmetatable({}, { __index = self.healthy })
  faulty.model = self.healthy.model:with(self.damaged, names)
  return faulty
end

--- A judge of that model.
---@param places integer[]
---@param text string a predicate
function Damaged:judge(places, text)
  return judge.by_predicate(self:exchange(places), predicate.parse(text), {
    windows = self.windows, prompts = evidence.PROMPTS, max_new_tokens = 4 })
end

--- @param o {model: string, baseline: string, operator: string, variant: string?, tokens: integer}
---  paths within the tree
function M.open(o)
  local home = system.home() .. "/"
  local baseline = Subject.new { name = "baseline", path = home .. o.baseline }
  local subject = Subject.new { name = "model", path = home .. o.model, baseline = baseline }
  return setmetatable({ healthy = exchange.open(subject),
    damaged = damaged(subject, o.operator, o.variant).runtime,
    windows = evidence.windows(subject, evidence.TEXT, o.tokens) }, Damaged)
end

return M
