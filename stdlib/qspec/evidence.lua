-- What a check says of an estimate that must keep to a limit.

local gate = require "qspec.statistics.gate"

local M = {}

local HIGHEST_CONFIDENCE = 0.999999

--- The parameters of every check that judges estimates.
M.params = {
  confidence = { type = "number", default = 0.95, help = "share of texts on which an interval "
    .. "holds the true value", check = function(value)
    return (value < 0.5 or value > HIGHEST_CONFIDENCE) and "must be of 0.5 to 0.999999" or nil
  end },
  inconclusive = { type = "string", default = "report", allowed = { "report", "pass", "fail" },
    help = "what a limit inside the interval is: a verdict of its own, a pass or a failure" },
}

--- These parameters, and those of one check.
---@param own table
---@return table
function M.params_with(own)
  for name, param in pairs(M.params) do own[name] = own[name] or param end
  return own
end

local function range_of(claim)
  local interval, show = claim.interval, claim.show
  return ("%s, %s to %s"):format(show(interval.value), show(interval.low), show(interval.high))
end

local function size_that_decides(claim)
  local tokens = gate.tokens_to_decide(claim.interval, claim.operator, claim.limit)
  if not tokens then return "it lies on the limit: no text is long enough" end
  return ("about %d tokens would decide, there are %d"):format(tokens, claim.interval.tokens)
end

-- The limit lies inside the interval.
local function leave_open(ctx, claim, found, wanted)
  local text, size = ("%s: %s, wanted %s"):format(claim.key, found, wanted),
    size_that_decides(claim)
  local choice = ctx.params.inconclusive
  if choice == "fail" then
    ctx:finding { key = claim.key, found = found, wanted = wanted, hint = "not decided: " .. size }
  elseif choice == "pass" then
    ctx:note(("%s: not decided, taken as a pass; %s"):format(text, size))
  else
    ctx:leave_open(text, size)
  end
end

---@class qspec.Claim
---@field key string name of what was estimated
---@field interval qspec.Interval
---@field operator "<="|">="
---@field limit number
---@field wanted string the limit as text, when it is not `limit` alone
---@field show fun(value: number): string

--- Judges a claim: nothing is said of one that holds on the whole interval, a finding is made of
--- one that holds nowhere in it, and what lies between is inconclusive.
---@param ctx qspec.Context with the values of M.params
---@param claim qspec.Claim
---@return "pass"|"fail"|"inconclusive"
function M.judge(ctx, claim)
  local verdict = gate.verdict(claim.interval, claim.operator, claim.limit)
  local found = ("%s at %g %%"):format(range_of(claim), 100 * ctx.params.confidence)
  local wanted = ("%s %s"):format(claim.operator, claim.wanted or claim.show(claim.limit))
  if verdict == "fail" then
    ctx:finding { key = claim.key, found = found, wanted = wanted }
  elseif verdict == "inconclusive" then
    leave_open(ctx, claim, found, wanted)
  end
  return verdict
end

return M
