-- Perplexity of a text, alone or as a multiple of the baseline's.

local localisation = require "qspec.localisation"
local perplexity = require "qspec.perplexity"
local system = require "host.system"

local function positive(value)
  return value <= 0 and "must be above 0" or nil
end

local function describe(result)
  local text = ("perplexity %.4f ± %.4f"):format(result.perplexity, result.perplexity_error)
  if not result.ppl_ratio then return text end
  return ("%s, %.4f ± %.4f of the baseline's"):format(text, result.ppl_ratio.value,
    result.ppl_ratio.error)
end

return {
  name = "perplexity",
  summary = "perplexity of a text is under a limit, or near the baseline's",
  needs = "forward",
  params = {
    text = { type = "string", required = true, help = "path of a UTF-8 text file" },
    max = { type = "number", check = positive, help = "largest perplexity" },
    ratio = { type = "number", check = positive, help = "largest multiple of the baseline's" },
    window = { type = "integer", default = 512, help = "tokens in a window" },
    stride = { type = "integer", help = "from one window to the next; the window unless given" },
  },
  details = [[
Measures as `qspec perplexity` does: exp of the mean negative log-likelihood of tokens 2..window of
each window. `max` limits it; `ratio` limits what it is over that of the baseline on the same text,
and is skipped without one. The error shown is the standard error of the mean.]],
  example = [[perplexity { text = "held_out.txt", max = 12, ratio = 1.02 }]],
  evidence = function(subject, params)
    local text = system.read(params.text, perplexity.LARGEST_TEXT)
    return { ids = localisation.first_tokens(subject.tokenizer:encode(text, true)) }
  end,
  run = function(ctx)
    local params, subject = ctx.params, ctx.subject
    local baseline = params.ratio and ctx:baseline_subject() or nil
    local text = system.read(params.text, perplexity.LARGEST_TEXT)
    local result = perplexity.measure(subject, text, { window = params.window,
      stride = params.stride, baseline = baseline }, function(done, total)
      ctx:progress(done, total, "window")
    end)
    if params.max then ctx:expect("perplexity", result.perplexity, "<=", params.max) end
    ctx:measure("perplexity", result.perplexity)
    ctx:measure("perplexity_error", result.perplexity_error)
    if baseline then
      ctx:measure("ppl_ratio_error", result.ppl_ratio.error)
      ctx:expect("ppl_ratio", result.ppl_ratio.value, "<=", params.ratio)
    end
    ctx:headline(describe(result))
  end,
}
