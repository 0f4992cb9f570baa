local divergence = require "qspec.divergence"
local test = require "test"

local function spread(count, of)
  local list = {}
  for i = 1, count do list[i] = of(i) end
  return list
end

test("perplexity is the exponential of the mean, its error that of the mean times it", function()
  local nll = spread(12, function(i) return i % 2 == 0 and 1 or 3 end)
  local found = divergence.statistics { nll = nll }
  test.equal(found.tokens_scored, 12)
  test.near(found.perplexity, math.exp(2), 1e-12)
  test.near(found.mean_nll_error, math.sqrt(1 / 11), 1e-12)
  test.near(found.perplexity_error, math.exp(2) * math.sqrt(1 / 11), 1e-12)
  test.equal(found.kld, nil)
end)

test("the error of a ratio knows that both are of the same tokens", function()
  local nll = spread(20, function(i) return i end)
  local found = divergence.statistics { nll = nll, kl = nll, same_top = nll,
    baseline_nll = spread(20, function(i) return i - 0.5 end) }
  test.near(found.ln_ppl_ratio.value, 0.5, 1e-12)
  test.near(found.ln_ppl_ratio.error, 0, 1e-6)
  test.near(found.ppl_ratio.value, math.exp(0.5), 1e-12)
  test.near(found.correlation, 1, 1e-12)
end)

test("percentiles lie between the two nearest values, and infinity stays", function()
  local zeros = spread(5, function() return 0 end)
  local found = divergence.statistics { nll = zeros, baseline_nll = zeros,
    kl = { 4, 0, 1, 3, math.huge }, same_top = { true, false, true, true, 1 } }
  test.equal(found.kld.median, 3)
  test.near(found.kld.percentiles["10"], 0.4, 1e-12)
  test.equal(found.kld.maximum, math.huge)
  test.equal(found.kld.mean, math.huge)
  test.near(found.same_top_p.value, 0.8, 1e-12)
  test.near(found.same_top_p.error, math.sqrt(0.8 * 0.2 / 4), 1e-12)
end)

test("the change of a probability is the model's less the baseline's", function()
  local found = divergence.statistics { nll = { math.log(2), math.log(4) },
    baseline_nll = { math.log(4), math.log(2) }, kl = { 0, 0 }, same_top = { true, true } }
  test.near(found.delta_p.maximum, 0.25, 1e-12)
  test.near(found.delta_p.minimum, -0.25, 1e-12)
  test.near(found.delta_p.rms, 0.25, 1e-12)
end)
