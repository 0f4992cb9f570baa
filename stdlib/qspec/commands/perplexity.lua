-- qspec perplexity: how well a model predicts a text.

local outcome = require "qspec.outcome"
local json = require "host.json"
local system = require "host.system"
local perplexity = require "qspec.perplexity"
local Subject = require "qspec.subject"

return {
  name = "perplexity",
  summary = "perplexity of a text in windows of fixed length",
  examples = { "qspec perplexity ./model --text held_out.txt --window 128" },
  options = function(parser)
    parser:argument("path", "A model folder.")
    parser:option("--text", "A UTF-8 text file."):count(1):argname("FILE")
    parser:option("--window", "Tokens in a window; the last partial one is dropped."):default("512")
      :convert(tonumber):argname("N")
    parser:flag("--json", "JSON; schema qspec.perplexity/1.")
  end,
  run = function(args)
    local subject = Subject.new { name = args.path, path = args.path }
    local text = system.read(args.text, perplexity.LARGEST_TEXT)
    local ok, result = pcall(perplexity.measure, subject, text, args.window)
    if not ok then error(outcome.at(result, args.text), 0) end
    if args.json then
      result.schema = "qspec.perplexity/1"
      system.stdout(json.encode(result, { indent = 2 }) .. "\n")
    else
      system.stdout(("perplexity %.4f, mean nll %.6f over %d tokens in %d windows of %d\n"):format(
        result.perplexity, result.mean_nll, result.tokens_scored, result.windows, result.window))
    end
    subject:release()
    return 0
  end,
}
