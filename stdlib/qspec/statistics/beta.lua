-- The beta distribution, from which the quantiles of Student's t and of a share follow.

local M = {}

local TINY = 1e-300
local PRECISION = 1e-15
local MOST_TERMS = 2000

-- The logarithm of the gamma function by Stirling's series (DLMF 5.11.1), which is good for 1e-15
-- from 20 up; what is smaller is brought there by gamma(x + 1) = x gamma(x).
local function log_gamma(x)
  local shift = 0
  while x < 20 do
    shift, x = shift + math.log(x), x + 1
  end
  local inverse = 1 / (x * x)
  local series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / x
  return (x - 0.5) * math.log(x) - x + 0.5 * math.log(2 * math.pi) + series - shift
end

local function nonzero(value)
  return math.abs(value) < TINY and TINY or value
end

-- The factor d[k] of the continued fraction DLMF 8.17.22.
local function term(k, x, a, b)
  local m = math.floor(k / 2)
  if k % 2 == 0 then return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)) end
  return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
end

-- 1 / (1 + d1 / (1 + d2 / ...)), evaluated from the front as Lentz does it.
local function fraction(x, a, b)
  local above, below = 1, 1 / nonzero(1 + term(1, x, a, b))
  local value = below
  for k = 2, MOST_TERMS do
    local d = term(k, x, a, b)
    below, above = 1 / nonzero(1 + d * below), nonzero(1 + d / above)
    value = value * above * below
    if math.abs(above * below - 1) < PRECISION then break end
  end
  return value
end

--- The probability of at most x, the regularized incomplete beta function I_x(a, b).
---@param x number
---@param a number above 0
---@param b number above 0
---@return number
function M.cdf(x, a, b)
  if x <= 0 then return 0 end
  if x >= 1 then return 1 end
  if x > (a + 1) / (a + b + 2) then return 1 - M.cdf(1 - x, b, a) end
  local log_front = a * math.log(x) + b * math.log(1 - x) + log_gamma(a + b) - log_gamma(a)
    - log_gamma(b)
  return math.exp(log_front) / a * fraction(x, a, b)
end

--- The x whose probability of being reached is `share`, by halving: to 1e-15 of what is left of 1.
---@param share number of 0 to 1
---@return number
function M.quantile(share, a, b)
  local low, high = 0, 1
  for _ = 1, 200 do
    local middle = (low + high) / 2
    if middle <= low or middle >= high then break end
    if M.cdf(middle, a, b) < share then low = middle else high = middle end
  end
  return (low + high) / 2
end

--- The quantile of Student's t.
---@param share number above 0.5, below 1
---@param freedom number degrees of freedom
---@return number
function M.student(share, freedom)
  local x = M.quantile(2 * (1 - share), freedom / 2, 0.5)
  return math.sqrt(freedom * (1 - x) / x)
end

return M
