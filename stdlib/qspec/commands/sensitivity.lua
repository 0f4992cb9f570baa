-- qspec sensitivity: what each module's quantization alone does to the model.

local device = require "qspec.device"
local evidence = require "qspec.bisect.evidence"
local json = require "host.json"
local judge = require "qspec.bisect.judge"
local outcome = require "qspec.outcome"
local printable = require "qspec.printable"
local progress = require "qspec.mutation.progress"
local run = require "qspec.bisect.run"
local system = require "host.system"
local target = require "qspec.bisect.target"
local text_table = require "qspec.text_table"
local units = require "qspec.units"

local function places(opened)
  local list = {}
  for i = 1, #opened.units do list[i] = i end
  return list
end

-- One row a unit, the largest divergence first.
local function measured(opened, windows)
  local line, rows = progress.open(), {}
  local added = opened:added_db(windows[1])
  for i, one in ipairs(judge.sensitivities(opened, windows, places(opened), line.show)) do
    local unit = opened.units[one.place]
    rows[i] = { module = unit.name, values = one.values, added_db = added[one.place],
      stored_bytes = unit.stored_bytes }
  end
  line.clear()
  return rows
end

local function number(value, pattern)
  return value == value and pattern:format(value) or "NaN"
end

local function render(rows, most)
  local cells = { { "module", "kl.mean", "kl.max", "same top", "added", "stored" } }
  for i, row in ipairs(rows) do
    if i > most then break end
    local values = row.values
    cells[i + 1] = { printable.line(row.module), number(values["kl.mean"], "%.6f"),
      number(values["kl.max"], "%.4f"), number(100 * values.same_top, "%.2f %%"),
      units.decibels(row.added_db), units.bytes(row.stored_bytes) }
  end
  local lines = text_table.lines(cells, { align = { [2] = "right", [3] = "right", [4] = "right",
    [5] = "right", [6] = "right" } })
  if #rows > most then lines[#lines + 1] = ("and %d more"):format(#rows - most) end
  return table.concat(lines, "\n") .. "\n"
end

local function finite(value)
  if value ~= value then return "NaN" end
  return math.abs(value) < math.huge and value or value > 0 and "Infinity" or "-Infinity"
end

local function to_json(rows, chosen, tokens)
  local list = {}
  for i, row in ipairs(rows) do
    local values = {}
    for name, value in pairs(row.values) do values[name] = finite(value) end
    list[i] = { module = row.module, values = values, stored_bytes = row.stored_bytes,
      added_db = row.added_db and finite(row.added_db) }
  end
  return { schema = "qspec.sensitivity/1", model = chosen.name, path = chosen.subject.path,
    baseline_path = chosen.subject.baseline.path, tokens = tokens, modules = json.array(list) }
end

local function token_count(windows)
  local count = 0
  for _, ids in ipairs(windows) do count = count + #ids end
  return count
end

local function one_of(targets, path)
  if #targets == 1 then return targets[1] end
  local names = {}
  for i, one in ipairs(targets) do names[i] = one.name end
  error(outcome.error("usage", ("%d models of the spec are on this machine: %s"):format(#targets,
    table.concat(names, ", ")), "name one with --only", path), 0)
end

return {
  name = "sensitivity",
  summary = "what each module's quantization alone does to the model, worst first",
  examples = { "qspec sensitivity ./model-nf4 --baseline ./model",
    "qspec sensitivity specs/bloom.lua --only tiny --text held_out.txt --json" },
  details = [[
For each module that differs the baseline is run with that one as the checkpoint has it, and its
distributions of the next token are compared with the baseline's: kl.mean and kl.max in nats, and
how often both have the same best token. What lies before the module is not run again. `added` is
the error of the module's output, given the baseline's input, as SQNR in dB: a large error that
moves no distribution costs nothing, and bits are better spent where kl.mean is high for the bytes
stored.]],
  options = function(parser)
    parser:argument("path", "A model folder or file, or a spec.")
    parser:option("--model", "Take this checkpoint, not the spec's models."):argname("PATH")
    parser:option("--baseline", "The full-precision model that it was made from."):argname("PATH")
    parser:option("--modules", "Only modules of this name or pattern."):argname("PATTERN")
    parser:option("--only", "Of a spec only models of this name or pattern."):count("*")
      :argname("NAME")
    parser:option("--text", "A UTF-8 text file to judge on; the spec's, or one that ships, unless "
      .. "given."):argname("FILE")
    parser:option("--tokens", "At most this many tokens of it.")
      :default(tostring(evidence.MOST)):convert(tonumber):argname("N")
    parser:option("--top", "Show this many."):default("40"):convert(tonumber):argname("N")
    parser:option("--device", "auto, cpu or cuda[:N]."):default("auto"):argname("DEVICE")
    parser:flag("--json", "JSON; schema qspec.sensitivity/1.")
  end,
  run = function(args)
    local chosen = one_of(target.all(args, device.choose(args.device).name), args.path)
    local windows = evidence.windows(chosen.subject, target.text(chosen, args.text), args.tokens)
    local opened = run.open(chosen.subject, args.modules)
    local rows = measured(opened, windows)
    if args.json then
      system.stdout(json.encode(to_json(rows, chosen, token_count(windows)),
        { indent = 2, sort = true }) .. "\n")
    else
      system.stdout(render(rows, args.top))
    end
    return outcome.EXIT_PASS
  end,
}
