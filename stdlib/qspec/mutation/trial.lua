-- Runs the checks of a spec on one mutant, cheapest tier first, and stops where one notices.

local outcome = require "qspec.outcome"
local runner = require "qspec.runner"
local system = require "host.system"
local tier = require "qspec.tier"
local Context = require "qspec.context"

local M = {}

---@class qspec.Trial
---@field killed boolean
---@field check string|nil that noticed; "open" when the checkpoint was refused
---@field tier string|nil
---@field finding table|nil the first: {module?, key?, found, wanted}
---@field fault string|nil the message of a check that broke down: a fault of qspec's
---@field seconds number

--- All parts of all declarations in order of tier.
---@param declarations table[]
---@param highest string
function M.steps(declarations, highest)
  local steps, most = {}, tier.rank(highest)
  for place, declaration in ipairs(declarations) do
    for _, part in ipairs(runner.parts(declaration)) do
      if tier.rank(part.tier) <= most then
        steps[#steps + 1] = { declaration = declaration, tier = part.tier, run = part.run,
          place = place }
      end
    end
  end
  table.sort(steps, function(a, b)
    local rank_a, rank_b = tier.rank(a.tier), tier.rank(b.tier)
    if rank_a ~= rank_b then return rank_a < rank_b end
    return a.place < b.place
  end)
  return steps
end

-- A refusal is a verdict on the checkpoint; what is no error of ours but text is a fault.
local function refusal(err, check, at)
  local known = outcome.from(err)
  if known.kind == "internal" then
    return { killed = false, check = check, tier = at, fault = known.message }
  end
  return { killed = true, check = check, tier = at, finding = { key = known.where ~= ""
    and known.where or nil, found = known.message, wanted = "a checkpoint that can be read" } }
end

local function traced(err)
  return type(err) == "string" and debug.traceback(err, 2) or err
end

local function open(subject, family)
  local ok, err = xpcall(function()
    subject:open()
    if family and subject.architecture.name ~= family then
      error(outcome.error("checkpoint", "the architecture is " .. subject.architecture.name), 0)
    end
  end, traced)
  return not ok and refusal(err, "open", "header") or nil
end

local function try(step, subject)
  local declaration = step.declaration
  local ctx = Context.new { subject = subject, params = declaration.params,
    where = declaration.where }
  local ok, err = xpcall(step.run, traced, ctx)
  if #ctx.findings > 0 then
    return { killed = true, check = declaration.name, tier = step.tier,
      finding = ctx.findings[1] }
  elseif not ok and not Context.is_skip(err) then
    return refusal(err, declaration.name, step.tier)
  end
end

local function noticed(subject, steps, family)
  local result = open(subject, family)
  for _, step in ipairs(steps) do
    if result then break end
    result = try(step, subject)
  end
  return result or { killed = false }
end

--- Tries the steps until one notices.
---@param subject table
---@param steps table[] of M.steps
---@param family string|nil architecture that the spec is for
---@return qspec.Trial
function M.run(subject, steps, family)
  local began = system.clock()
  local result = noticed(subject, steps, family)
  result.seconds = system.clock() - began
  subject:release()
  return result
end

return M
