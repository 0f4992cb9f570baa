-- qspec perplexity: how well a model predicts a text.

local outcome = require "qspec.outcome"
local json = require "host.json"
local omissions = require "qspec.omissions"
local system = require "host.system"
local divergence_table = require "qspec.divergence_table"
local paired = require "qspec.paired"
local perplexity = require "qspec.perplexity"
local Subject = require "qspec.subject"

local function subject_of(path)
  return path and Subject.new { name = path, path = path }
end

local function summary_of(result)
  local windows = ("%d windows of %d"):format(result.windows, result.window)
  if result.stride ~= result.window then windows = windows .. " every " .. result.stride end
  return ("perplexity %.4f ± %.4f, mean nll %.6f ± %.6f over %d tokens in %s\n"):format(
    result.perplexity, result.perplexity_error, result.mean_nll, result.mean_nll_error,
    result.tokens_scored, windows)
end

local function refuse_confidence(share)
  if share >= 0.5 and share <= 0.999999 then return end
  error(outcome.error("usage", ("--confidence is %g, wanted 0.5 to 0.999999"):format(share)), 0)
end

-- JSON has no infinity: an interval without an end has none.
local function finite(value)
  return math.abs(value) < math.huge and value or nil
end

local function paired_of(scored, confidence)
  local result = { confidence = confidence }
  for name, interval in pairs(paired.intervals(scored, confidence)) do
    result[name] = { value = finite(interval.value), low = finite(interval.low),
      high = finite(interval.high) }
  end
  return result
end

-- Whose fault an error without a place is: windows are of the text, what the engine refuses to
-- compare is the baseline's, the rest is the model's.
local function place_of(err, args)
  local kind = type(err) == "table" and err.kind
  if kind == "usage" then return args.text end
  return kind == "spec" and args.baseline or args.path
end

return {
  name = "perplexity",
  summary = "perplexity of a text, and how far a model is from its baseline on it",
  examples = { "qspec perplexity ./model --text held_out.txt --window 128",
    "qspec perplexity ./model-nf4 --baseline ./model --text held_out.txt --stride 256" },
  details = [[
The perplexity is exp of the mean negative log-likelihood of tokens 2..window of each window; with
--stride windows overlap, and of each but the first only the last STRIDE tokens are scored. The
error is the standard error of that mean. With --baseline both models run window by window and the
report is that of llama.cpp's `llama-perplexity --kl-divergence`, in its names: KLD is the
Kullback-Leibler divergence of the model's distribution from the baseline's in nats, Δp the change
of the probability of the token that follows, "same top p" how often both have the same best
token. Below it stand the same estimates with intervals, from differences token by token: unlike the
errors above they know that neighbouring tokens are not independent and that divergences are skewed
(statistics/mean.lua). The checks `perplexity` and `kl` judge by them.]],
  options = function(parser)
    parser:argument("path", "A model folder.")
    parser:option("--text", "A UTF-8 text file."):count(1):argname("FILE")
    parser:option("--baseline", "The model to compare with, of the same tokenizer."):argname("PATH")
    parser:option("--window", "Tokens in a window; the last partial one is dropped."):default("512")
      :convert(tonumber):argname("N")
    parser:option("--stride", "Tokens from one window to the next; the window unless given.")
      :convert(tonumber):argname("N")
    parser:option("--confidence", "Share of texts on which an interval holds the true value.")
      :default("0.95"):convert(tonumber):argname("SHARE")
    parser:flag("--json", "JSON; schema qspec.perplexity/1.")
  end,
  run = function(args)
    refuse_confidence(args.confidence)
    local subject, baseline = subject_of(args.path), subject_of(args.baseline)
    local text = system.read(args.text, perplexity.LARGEST_TEXT)
    local ok, result, scored = pcall(perplexity.measure, subject, text,
      { window = args.window, stride = args.stride, baseline = baseline })
    if not ok then error(outcome.at(result, place_of(result, args)), 0) end
    omissions.warn(subject)
    if baseline then result.paired = paired_of(scored, args.confidence) end
    if args.json then
      result.schema = "qspec.perplexity/1"
      system.stdout(json.encode(result, { indent = 2 }) .. "\n")
    else
      system.stdout(summary_of(result))
      if baseline then system.stdout("\n" .. divergence_table.render(result)) end
    end
    return outcome.EXIT_PASS
  end,
}
