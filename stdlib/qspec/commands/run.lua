-- qspec run: evaluates specs.

local outcome = require "qspec.outcome"
local system = require "host.system"
local session = require "qspec.session"

return {
  name = "run",
  summary = "check models against specs and give a verdict",
  examples = {
    "qspec run specs/bloom.lua",
    "qspec run specs/bloom.lua --model ./my-bloom --baseline ./bloom --report json=report.json",
    "qspec run specs/*.lua --tier header --only memory --only 'l*'",
  },
  options = function(parser)
    parser:argument("spec", "Spec files."):args("+")
    parser:option("--model", "Run the family's checks on this checkpoint, not the spec's models.")
      :argname("PATH")
    parser:option("--baseline", "The full-precision checkpoint to compare with."):argname("PATH")
    parser:option("--lock", "The model must be what this file of qspec lock recorded.")
      :argname("FILE")
    parser:option("--only", "Run only checks, models or tags of this name or pattern."):count("*")
      :argname("NAME")
    parser:option("--skip", "Leave out checks, models or tags of this name or pattern."):count("*")
      :argname("NAME")
    parser:option("--tier", "Run no check above this tier.")
      :choices { "header", "weights", "forward", "generate" }
    parser:flag("--fail-fast", "Stop at the first check that fails.")
    parser:option("--report", "Also write a report: json=FILE or junit=FILE; FILE may be -.")
      :count("*"):argname("KIND=FILE")
    parser:option("--device", "auto, cpu or cuda[:N]."):default("auto"):argname("DEVICE")
    parser:flag("--no-skip", "A check that is skipped fails.")
    parser:option("--require", "Skips for want of this fail: model, baseline, gpu."):count("*")
      :choices { "model", "baseline", "gpu" }:argname("WHAT")
    parser:flag("--timing", "Say at the end what took how long, on stderr.")
    parser:flag("-v --verbose", "Show every finding and note.")
  end,
  run = function(args)
    if (args.model or args.baseline) and #args.spec > 1 then
      error(outcome.error("usage", ("--model and --baseline go with one spec, got %d"):format(
        #args.spec)), 0)
    end
    return session.run(args, system.clock())
  end,
}
