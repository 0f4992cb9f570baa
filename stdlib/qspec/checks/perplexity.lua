-- Perplexity of a text, alone or as a multiple of the baseline's.

local evidence = require "qspec.evidence"
local localisation = require "qspec.localisation"
local paired = require "qspec.paired"
local perplexity = require "qspec.perplexity"
local system = require "host.system"
local tolerance = require "qspec.tolerance"

local function positive(value)
  return value <= 0 and "must be above 0" or nil
end

local function show(value) return ("%.4f"):format(value) end

local function describe(result, intervals)
  local text = ("perplexity %.4f ± %.4f"):format(result.perplexity, result.perplexity_error)
  if not intervals then return text end
  local ratio = intervals.ppl_ratio
  return ("%s, %.4f of the baseline's (%.4f to %.4f)"):format(text, ratio.value, ratio.low,
    ratio.high)
end

-- Of a text that a model predicts worse than a draw among all tokens, the likelihoods are those of
-- what it takes to be impossible: these move by any amount when it is rounded.
local function is_foreign(ctx, result)
  local vocabulary = ctx.subject.config.vocab_size
  if type(vocabulary) ~= "number" or result.perplexity < vocabulary then return false end
  ctx:note(("the text is foreign to the model: a draw among its tokens has perplexity %d")
    :format(vocabulary))
  return true
end

-- Rounding teaches a model nothing.
local function judge_gain(ctx, result, intervals)
  if ctx.params.anomalous == "pass" or not paired.is_anomalous(intervals) then return end
  if is_foreign(ctx, result) then return end
  local ratio = intervals.ppl_ratio
  ctx:finding { key = "ppl_ratio", found = ("anomalous: %s, %s to %s"):format(show(ratio.value),
    show(ratio.low), show(ratio.high)), wanted = "no better than its baseline",
    hint = "is it the baseline of this model, with the same tokenizer? anomalous = \"pass\" allows "
      .. "it" }
end

local function judge_ratio(ctx, result, intervals)
  local params, ratio = ctx.params, intervals.ppl_ratio
  local slack = math.exp(tolerance.of(ctx, "nll"))
  ctx:measure("ppl_ratio", ratio.value)
  ctx:measure("ppl_ratio_interval", { ratio.low, ratio.high })
  evidence.judge(ctx, { key = "ppl_ratio", interval = ratio, operator = "<=", show = show,
    limit = (params.ratio or 1) * slack })
  judge_gain(ctx, result, intervals)
end

return {
  name = "perplexity",
  summary = "perplexity of a text is under a limit, or near the baseline's",
  needs = "forward",
  params = tolerance.params_with(evidence.params_with {
    text = { type = "string", required = true, help = "path of a UTF-8 text file" },
    max = { type = "number", check = positive, help = "largest perplexity of this text" },
    ratio = { type = "number", check = positive, help = "largest multiple of the baseline's" },
    anomalous = { type = "string", default = "fail", allowed = { "fail", "pass" },
      help = "what a model is that is better than its baseline beyond chance" },
    window = { type = "integer", default = 512, help = "tokens in a window" },
    stride = { type = "integer", help = "from one window to the next; the window unless given" },
  }),
  details = [[
Measures as `qspec perplexity` does: exp of the mean negative log-likelihood of tokens 2..window of
each window. `max` limits it on this text; the error shown is the standard error of the mean.

`ratio` limits what it is over that of the baseline, and is skipped without one. Both models see the
same tokens, so the differences are averaged token by token, and the interval is that of their mean
(statistics/mean.lua: it knows that neighbouring tokens are not independent). The check passes when
the whole interval is under the limit, fails when none of it is, and is inconclusive (exit code 3)
otherwise, with the number of tokens that would decide. A model that is better than its baseline
beyond chance, and by more than rounding can make it (a quarter of sqrt(2 KL) in nats; genuine
models gain or lose up to half of that), is anomalous and fails: the baseline is another model's, or
broken; not so on a text that the model predicts worse than by chance. `tolerance` widens `ratio`
(1 unless given) by as many nats; "auto" is `k` times what the same weights show from run to
run.]],
  example = [[perplexity { text = "held_out.txt", max = 12, ratio = 1.02 }]],
  evidence = function(subject, params)
    local text = system.read(params.text, perplexity.LARGEST_TEXT)
    return { ids = localisation.first_tokens(subject.tokenizer:encode(text, true)) }
  end,
  run = function(ctx)
    local params, subject = ctx.params, ctx.subject
    local is_paired = params.ratio or params.tolerance
    local baseline = is_paired and ctx:baseline_subject() or nil
    local text = system.read(params.text, perplexity.LARGEST_TEXT)
    local result, scored = perplexity.measure(subject, text, { window = params.window,
      stride = params.stride, baseline = baseline }, function(done, total)
      ctx:progress(done, total, "window")
    end)
    if params.max then ctx:expect("perplexity", result.perplexity, "<=", params.max) end
    ctx:measure("perplexity", result.perplexity)
    ctx:measure("perplexity_error", result.perplexity_error)
    local intervals = baseline and paired.intervals(scored, params.confidence)
    if intervals then judge_ratio(ctx, result, intervals) end
    ctx:headline(describe(result, intervals))
  end,
}
