-- qspec inspect: the census of one checkpoint.

local inspection = require "qspec.inspection"
local json = require "host.json"
local outcome = require "qspec.outcome"
local system = require "host.system"

return {
  name = "inspect",
  summary = "show module by module what a checkpoint holds, and what contradicts its config",
  examples = { "qspec inspect ./model", "qspec inspect ./model --baseline ./dense --json" },
  options = function(parser)
    parser:argument("path", "A model folder.")
    parser:option("--baseline", "The full-precision checkpoint, for the ratio."):argname("PATH")
    parser:flag("--json", "JSON instead of a table; schema qspec.inspect/1.")
    parser:flag("-v --verbose", "Every module, not one line for each kind of layer.")
  end,
  run = function(args)
    local result = inspection.take(args.path, args.baseline)
    if args.json then
      system.stdout(json.encode(inspection.to_json(result), { indent = 2 }) .. "\n")
    else
      system.stdout(require("qspec.inspection_table").render(result, args.verbose))
    end
    return #result.findings > 0 and outcome.EXIT_FAIL or outcome.EXIT_PASS
  end,
}
