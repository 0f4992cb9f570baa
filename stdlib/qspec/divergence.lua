-- What llama.cpp's `llama-perplexity --kl-divergence` says of a model and its baseline, with its
-- names and its error bars, from the numbers of each scored token. An error is the standard error
-- of the mean, sqrt((<x^2> - <x>^2) / (n - 1)); that of a function of means is its first order.

local M = {}

-- Fractions of sorted values, by the name of the share in percent.
local SHARES = { ["99.9"] = 0.999, ["99"] = 0.99, ["95"] = 0.95, ["90"] = 0.9, ["75"] = 0.75,
  ["50"] = 0.5, ["25"] = 0.25, ["10"] = 0.1, ["5"] = 0.05, ["1"] = 0.01, ["0.1"] = 0.001 }

local FEWEST_FOR_ERROR = 10  -- numbers; llama.cpp gives no error of fewer

local function mean(list)
  local sum = 0
  for _, value in ipairs(list) do sum = sum + value end
  return sum / #list
end

-- The covariance of two means; that of one with itself is the square of its error.
local function covariance(a, b)
  local count = #a
  if count <= FEWEST_FOR_ERROR then return 0 end
  local mean_a, mean_b, sum = mean(a), mean(b), 0
  for i = 1, count do sum = sum + (a[i] - mean_a) * (b[i] - mean_b) end
  return sum / count / (count - 1)
end

local function with_error(list)
  return { value = mean(list), error = math.sqrt(covariance(list, list)) }
end

-- Between the two nearest values, as llama.cpp does it.
local function percentile(sorted, share)
  local place = share * (#sorted - 1)
  local below = math.floor(place)
  local low, high = sorted[below + 1], sorted[math.min(below + 2, #sorted)]
  if low == high then return low end  -- also where both are infinite
  return low + (place - below) * (high - low)
end

local function distribution(list)
  local sorted = {}
  for i, value in ipairs(list) do sorted[i] = value end
  table.sort(sorted)
  local average, percentiles = with_error(list), {}
  for name, share in pairs(SHARES) do percentiles[name] = percentile(sorted, share) end
  return { mean = average.value, mean_error = average.error, maximum = sorted[#sorted],
    minimum = sorted[1], median = percentile(sorted, 0.5), percentiles = percentiles }
end

local function perplexity_of(nll)
  local average = with_error(nll)
  local value = math.exp(average.value)
  return { mean_nll = average.value, mean_nll_error = average.error, perplexity = value,
    perplexity_error = value * average.error }
end

-- How the two perplexities stand to each other: their errors are correlated.
local function ratios(scored, own, base)
  local shared = covariance(scored.nll, scored.baseline_nll)
  local log_ratio = own.mean_nll - base.mean_nll
  local function root(value) return math.sqrt(math.max(value, 0)) end
  local log_error = root(own.mean_nll_error ^ 2 + base.mean_nll_error ^ 2 - 2 * shared)
  local errors = own.mean_nll_error * base.mean_nll_error
  return { ln_ppl_ratio = { value = log_ratio, error = log_error },
    ppl_ratio = { value = math.exp(log_ratio), error = math.exp(log_ratio) * log_error },
    ppl_difference = { value = own.perplexity - base.perplexity,
      error = root(own.perplexity_error ^ 2 + base.perplexity_error ^ 2
        - 2 * own.perplexity * base.perplexity * shared) },
    correlation = errors > 0 and shared / errors or nil }
end

-- Of the probability of the token that follows: the model's less the baseline's.
local function delta_p(scored)
  local differences, squares = {}, {}
  for i, nll in ipairs(scored.nll) do
    differences[i] = math.exp(-nll) - math.exp(-scored.baseline_nll[i])
    squares[i] = differences[i] ^ 2
  end
  local result, square = distribution(differences), with_error(squares)
  result.rms = math.sqrt(square.value)
  result.rms_error = result.rms > 0 and square.error / (2 * result.rms) or 0
  return result
end

local function same_top(flags)
  local same = 0
  for _, flag in ipairs(flags) do same = same + ((flag == true or flag == 1) and 1 or 0) end
  local share = same / #flags
  local deviation = #flags > 1 and math.sqrt(share * (1 - share) / (#flags - 1)) or 0
  return { value = share, error = deviation }
end

--- Statistics of scored tokens: `nll` in nats, and with a baseline `baseline_nll`, `kl` in nats and
--- `same_top`, one of each a token.
---@param scored {nll: number[], baseline_nll: number[]?, kl: number[]?, same_top: any[]?}
---@return table {tokens_scored, mean_nll, mean_nll_error, perplexity, perplexity_error}; with a
---  baseline also {baseline: the same of it, ppl_ratio, ln_ppl_ratio, ppl_difference, same_top_p:
---  {value, error}, correlation, kld, delta_p: {mean, mean_error, maximum, median, minimum,
---  percentiles}}, where delta_p has rms and rms_error; shares and probabilities of 0 to 1
function M.statistics(scored)
  local result = perplexity_of(scored.nll)
  result.tokens_scored = #scored.nll
  if not scored.baseline_nll then return result end
  result.baseline = perplexity_of(scored.baseline_nll)
  for name, value in pairs(ratios(scored, result, result.baseline)) do result[name] = value end
  result.kld, result.delta_p = distribution(scored.kl), delta_p(scored)
  result.same_top_p = same_top(scored.same_top)
  return result
end

return M
