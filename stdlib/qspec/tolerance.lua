-- Tolerances of checks on outputs: a number, or "auto", a multiple of the model's noise floor.

local noise_floor = require "qspec.noise_floor"

local M = {}

local function check_tolerance(value)
  if type(value) == "string" then
    return value ~= "auto" and "must be a number or \"auto\"" or nil
  end
  return value < 0 and "must not be negative" or nil
end

local function check_factor(value)
  return (value < 1 or value > 1e6) and "must be of 1 to 1000000" or nil
end

-- A margin is the difference of two logits, each of which the floor says how far it moves: 2.

--- The parameters of every check on outputs, and those of one check.
---@param own table may have a `tolerance` of its own words and default
---@return table
function M.params_with(own)
  local declared = own.tolerance or {}
  own.tolerance = { type = { "number", "string" }, check = check_tolerance,
    default = declared.default, help = declared.help or "what is allowed beyond the limits; "
    .. "\"auto\": k times the noise floor of the model" }
  own.k = { type = "number", default = 2, check = check_factor,
    help = "how many times the noise floor \"auto\" is" }
  return own
end

--- The tolerance that parameters ask for, in a unit of the noise floor; 0 without one.
---@param subject table
---@param params table
---@param unit "logits"|"kl"|"nll"
---@return number
---@return string|nil said where "auto" comes from
function M.of_params(subject, params, unit)
  if params.tolerance ~= "auto" then return params.tolerance or 0 end
  local floor = subject.noise_floor
  return params.k * floor[unit], ("tolerance %.3g, %g times the noise floor %s"):format(
    params.k * floor[unit], params.k, noise_floor.describe(floor, unit))
end

--- That of a running check. "auto" is measured and noted, once.
---@param ctx qspec.Context
---@param unit "logits"|"kl"|"nll"
---@return number
function M.of(ctx, unit)
  local value, said = M.of_params(ctx.subject, ctx.params, unit)
  local name = "noise_floor_" .. unit
  if said and not ctx.measured[name] then
    ctx:measure(name, ctx.subject.noise_floor[unit])
    ctx:note(said)
  end
  return value
end

return M
