-- Divergence of the model's next-token distributions from the baseline's, on a text.

local localisation = require "qspec.localisation"
local perplexity = require "qspec.perplexity"
local system = require "host.system"

local function not_negative(value)
  return value < 0 and "must not be negative" or nil
end

local function share(value)
  return (value < 0 or value > 1) and "must be of 0 to 1" or nil
end

local LIMITS = {
  { param = "mean", measure = "kld_mean", of = function(r) return r.kld.mean end },
  { param = "median", measure = "kld_median", of = function(r) return r.kld.median end },
  { param = "p99", measure = "kld_p99", of = function(r) return r.kld.percentiles["99"] end },
  { param = "p999", measure = "kld_p99.9", of = function(r) return r.kld.percentiles["99.9"] end },
  { param = "max", measure = "kld_max", of = function(r) return r.kld.maximum end },
}

return {
  name = "kl",
  summary = "next-token distributions stay near the baseline's on a text",
  needs = "forward",
  params = {
    text = { type = "string", required = true, help = "path of a UTF-8 text file" },
    mean = { type = "number", check = not_negative, help = "largest mean, in nats" },
    median = { type = "number", check = not_negative, help = "largest median" },
    p99 = { type = "number", check = not_negative, help = "largest 99th percentile" },
    p999 = { type = "number", check = not_negative, help = "largest 99.9th percentile" },
    max = { type = "number", check = not_negative, help = "largest of any token" },
    same_top = { type = "number", check = share,
      help = "least share of tokens where both have the same best one" },
    window = { type = "integer", default = 512, help = "tokens in a window" },
    stride = { type = "integer", help = "from one window to the next; the window unless given" },
  },
  details = [[
Runs the model and its baseline window by window on the text and takes, at each place, the
Kullback-Leibler divergence of the model's distribution of the next token from the baseline's, in
nats and fp64: sum of p ln(p / q). The names are those of llama.cpp's --kl-divergence, and
`qspec perplexity --baseline` prints the whole of them. Skipped without a baseline.]],
  example = [[kl { text = "held_out.txt", mean = 0.02, p99 = 0.2, same_top = 0.9 }]],
  evidence = function(subject, params)
    local text = system.read(params.text, perplexity.LARGEST_TEXT)
    return { ids = localisation.first_tokens(subject.tokenizer:encode(text, true)) }
  end,
  run = function(ctx)
    local params, baseline = ctx.params, ctx:baseline_subject()
    local text = system.read(params.text, perplexity.LARGEST_TEXT)
    local result = perplexity.measure(ctx.subject, text, { window = params.window,
      stride = params.stride, baseline = baseline }, function(done, total)
      ctx:progress(done, total, "window")
    end)
    for _, limit in ipairs(LIMITS) do
      ctx:measure(limit.measure, limit.of(result))
      if params[limit.param] then
        ctx:expect(limit.measure, limit.of(result), "<=", params[limit.param])
      end
    end
    ctx:measure("same_top", result.same_top_p.value)
    if params.same_top then
      ctx:expect("same_top", result.same_top_p.value, ">=", params.same_top)
    end
    ctx:headline(("mean %.6f, 99%% %.4f, same top %.1f%%"):format(result.kld.mean,
      result.kld.percentiles["99"], 100 * result.same_top_p.value))
  end,
}
