-- ALiBi slopes, as the geometric series that the engine raises to powers itself: its power function
-- is the one that transformers calls, and another one rounds some slopes differently.

local M = {}

local function largest_power_of_two(limit)
  local power = 1
  while power * 2 <= limit do power = power * 2 end
  return power
end

local function exponent_of(power)
  local exponent = 0
  while power > 1 do power, exponent = power / 2, exponent + 1 end
  return exponent
end

-- 2^(-8/n) for a power of two n.
local function base(n)
  return 2 ^ -(2 ^ -(exponent_of(n) - 3))
end

--- The slopes of the original ALiBi code, which BLOOM and Falcon use: 2^(-8/n) to the powers 1..n
--- for the largest power of two n of heads, and every second slope of 2n for the heads beyond.
---@param heads integer
---@return {base: number, first: integer, step: integer, count: integer}[]
function M.alibi(heads)
  local power = largest_power_of_two(heads)
  local series = { { base = base(power), first = 1, step = 1, count = power } }
  if power < heads then
    series[2] = { base = base(2 * power), first = 1, step = 2, count = heads - power }
  end
  return series
end

return M
