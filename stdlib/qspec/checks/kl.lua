-- Divergence of the model's next-token distributions from the baseline's, on a text.

local evidence = require "qspec.evidence"
local localisation = require "qspec.localisation"
local paired = require "qspec.paired"
local perplexity = require "qspec.perplexity"
local system = require "host.system"
local tolerance = require "qspec.tolerance"

local function not_negative(value)
  return value < 0 and "must not be negative" or nil
end

local function share(value)
  return (value < 0 or value > 1) and "must be of 0 to 1" or nil
end

local function nats(value) return ("%.6f"):format(value) end
local function logits(value) return ("%.4f"):format(value) end
local function percent(value) return ("%.3f %%"):format(100 * value) end

-- A percentile is over its limit when more tokens are than the percentile leaves.
local PERCENTILES = {
  { param = "median", measure = "kld_median", above = 0.5,
    of = function(kld) return kld.median end },
  { param = "p99", measure = "kld_p99", above = 0.01,
    of = function(kld) return kld.percentiles["99"] end },
  { param = "p999", measure = "kld_p99.9", above = 0.001,
    of = function(kld) return kld.percentiles["99.9"] end },
}

local function judge_percentiles(ctx, scored, kld, slack)
  for _, one in ipairs(PERCENTILES) do
    local limit, value = ctx.params[one.param], one.of(kld)
    ctx:measure(one.measure, value)
    if limit then
      evidence.judge(ctx, { key = one.measure, operator = "<=", limit = one.above, show = percent,
        interval = paired.share_over(scored, limit + slack, ctx.params.confidence),
        wanted = ("%g %% of tokens over %g nats"):format(100 * one.above, limit + slack) })
    end
  end
end

local function judge_means(ctx, intervals, slack)
  local params = ctx.params
  local has_none = not (params.median or params.p99 or params.p999 or params.max or params.same_top
    or params.margin)
  local mean = params.mean or (params.tolerance and has_none and 0)
  if mean then
    evidence.judge(ctx, { key = "kld_mean", operator = "<=", limit = mean + slack, show = nats,
      interval = intervals.kld })
  end
  if params.same_top then
    evidence.judge(ctx, { key = "same_top", operator = ">=", limit = params.same_top,
      show = percent, interval = intervals.same_top })
  end
  if params.margin then
    evidence.judge(ctx, { key = "margin_change", operator = ">=", limit = -params.margin,
      show = logits, interval = intervals.margin_change })
  end
end

local function measure(ctx, result, intervals)
  ctx:measure("kld_mean", result.kld.mean)
  ctx:measure("kld_max", result.kld.maximum)
  ctx:measure("same_top", result.same_top_p.value)
  for name, interval in pairs { kld_mean = intervals.kld, same_top = intervals.same_top,
    margin_change = intervals.margin_change } do
    ctx:measure(name .. "_interval", { interval.low, interval.high })
  end
  ctx:measure("margin_change", intervals.margin_change.value)
  ctx:headline(("mean %.6f, 99%% %.4f, same top %.1f%%"):format(result.kld.mean,
    result.kld.percentiles["99"], 100 * result.same_top_p.value))
end

return {
  name = "kl",
  summary = "next-token distributions stay near the baseline's on a text",
  needs = "forward",
  params = tolerance.params_with(evidence.params_with {
    text = { type = "string", required = true, help = "path of a UTF-8 text file" },
    mean = { type = "number", check = not_negative, help = "largest mean, in nats" },
    median = { type = "number", check = not_negative, help = "largest median" },
    p99 = { type = "number", check = not_negative, help = "largest 99th percentile" },
    p999 = { type = "number", check = not_negative, help = "largest 99.9th percentile" },
    max = { type = "number", check = not_negative, help = "largest of any token of this text" },
    same_top = { type = "number", check = share,
      help = "least share of tokens where both have the same best one" },
    margin = { type = "number", check = not_negative, help = "largest mean loss of the margin of "
      .. "the baseline's best token over the best other one, in logits" },
    window = { type = "integer", default = 512, help = "tokens in a window" },
    stride = { type = "integer", help = "from one window to the next; the window unless given" },
  }),
  details = [[
Runs the model and its baseline window by window on the text and takes, at each place, the
Kullback-Leibler divergence of the model's distribution of the next token from the baseline's, in
nats and fp64: sum of p ln(p / q). The names are those of llama.cpp's --kl-divergence, and
`qspec perplexity --baseline` prints the whole of them. Skipped without a baseline.

A text is a sample: a limit is kept when the whole interval of the estimate keeps it, broken when
none of it does, and otherwise the check is inconclusive (exit code 3) and says how many tokens
would decide. Intervals of means know that neighbouring tokens are not independent and that
divergences are skewed (statistics/mean.lua); a percentile is judged by the share of tokens over its
limit. `max` is a statement about this text alone. `tolerance` widens the limits on divergences;
"auto" is `k` times what the same weights show from run to run, and alone it wants the model to be
its baseline but for that noise.]],
  example = [[kl { text = "held_out.txt", mean = 0.02, p99 = 0.2, same_top = 0.9 }]],
  evidence = function(subject, params)
    local text = system.read(params.text, perplexity.LARGEST_TEXT)
    return { ids = localisation.first_tokens(subject.tokenizer:encode(text, true)) }
  end,
  run = function(ctx)
    local params, baseline = ctx.params, ctx:baseline_subject()
    local text = system.read(params.text, perplexity.LARGEST_TEXT)
    local result, scored = perplexity.measure(ctx.subject, text, { window = params.window,
      stride = params.stride, baseline = baseline }, function(done, total)
      ctx:progress(done, total, "window")
    end)
    local intervals = paired.intervals(scored, params.confidence)
    local slack = tolerance.of(ctx, "kl")
    judge_means(ctx, intervals, slack)
    judge_percentiles(ctx, scored, result.kld, slack)
    if params.max then ctx:expect("kld_max", result.kld.maximum, "<=", params.max + slack) end
    measure(ctx, result, intervals)
  end,
}
