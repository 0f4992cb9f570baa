-- qspec diff: what two checkpoints say differently.

local difference = require "qspec.difference"
local json = require "host.json"
local lock_file = require "qspec.lock.file"
local outcome = require "qspec.outcome"
local printable = require "qspec.printable"
local system = require "host.system"
local units = require "qspec.units"
local Subject = require "qspec.subject"

local MOST_SHOWN = 20

-- Layers repeat, and so do their differences: "h.*.mlp" stands for all that say the same.
local function grouped(differences)
  local groups, by_key = {}, {}
  for _, one in ipairs(differences) do
    local name = one.key:gsub("%.%d+%.", ".*.")
    local key = table.concat({ name, tostring(one.first), tostring(one.second) }, "\0")
    local group = by_key[key]
    if group then
      group.count, group.name = group.count + 1, name
    else
      by_key[key] = { name = one.key, count = 1, one = one }
      groups[#groups + 1] = by_key[key]
    end
  end
  return groups
end

local function line_of(group)
  return ("  %s%s: %s | %s"):format(printable.line(group.name), group.count > 1
    and " x" .. group.count or "", printable.line(group.one.first or "-"),
    printable.line(group.one.second or "-"))
end

local function add_part(lines, part, verbose)
  if #part.differences == 0 then return end
  lines[#lines + 1] = ("%s: %s"):format(part.name, units.count(#part.differences, "difference"))
  local groups = grouped(part.differences)
  local shown = verbose and #groups or math.min(#groups, MOST_SHOWN)
  for i = 1, shown do lines[#lines + 1] = line_of(groups[i]) end
  if shown < #groups then
    lines[#lines + 1] = ("  and %d more lines; all with --verbose"):format(#groups - shown)
  end
end

local function render(parts, args)
  local lines, same = { ("first: %s, second: %s"):format(args.first, args.second) }, {}
  for _, part in ipairs(parts) do
    add_part(lines, part, args.verbose)
    if #part.differences == 0 then same[#same + 1] = part.name end
  end
  if #same > 0 then lines[#lines + 1] = "the same: " .. table.concat(same, ", ") end
  return table.concat(lines, "\n") .. "\n"
end

local function to_json(parts, args)
  local out = {}
  for i, part in ipairs(parts) do
    out[i] = { name = part.name, differences = json.array(part.differences) }
  end
  return { schema = "qspec.diff/1", first = args.first, second = args.second,
    parts = json.array(out) }
end

local function differ(parts)
  for _, part in ipairs(parts) do
    if #part.differences > 0 then return true end
  end
  return false
end

-- Of locks the same, from what they recorded.
local function diff_locks(args)
  local progress = require("qspec.mutation.progress").open()
  local list = require("qspec.lock.comparison").of_paths(args.first, args.second, progress.show)
  progress.clear()
  local report = require "qspec.lock.report"
  if args.json then
    system.stdout(json.encode(report.to_json(list, args.first, args.second), { indent = 2 })
      .. "\n")
  else
    local head = ("first: %s, second: %s\n"):format(args.first, args.second)
    system.stdout(head .. table.concat(report.lines(list, args.verbose), "\n") .. "\n")
  end
  return #list > 0 and outcome.EXIT_FAIL or outcome.EXIT_PASS
end

return {
  name = "diff",
  summary = "show what two checkpoints say differently: modules, configs, tokenizer, template",
  examples = {
    "qspec diff ./model ./model.gguf",
    "qspec diff ./before ./after --values --json",
    "qspec diff before.lock.json after.lock.json",
  },
  details = [[
Compares meaning, not bytes: what each module is and holds, config.json, the quantization_config,
tokenizer, chat template and generation config. --values reads and compares all weights too. Exit
code 0 when nothing differs, 1 when something does. Either may be a lock (qspec lock): then each
difference is one of meaning, of bytes, or of metadata only.]],
  options = function(parser)
    parser:argument("first", "A checkpoint or a lock.")
    parser:argument("second", "Another one.")
    parser:flag("--values", "Compare the values of the weights too.")
    parser:flag("--json", "JSON; schema qspec.diff/1, of locks qspec.changes/1.")
    parser:flag("-v --verbose", "Every difference.")
  end,
  run = function(args)
    if lock_file.is_lock(args.first) or lock_file.is_lock(args.second) then
      return diff_locks(args)
    end
    local first = Subject.new { name = args.first, path = args.first }
    local second = Subject.new { name = args.second, path = args.second }
    local parts = difference.take(first, second, args.values)
    if args.json then
      system.stdout(json.encode(to_json(parts, args), { indent = 2 }) .. "\n")
    else
      system.stdout(render(parts, args))
    end
    return differ(parts) and outcome.EXIT_FAIL or outcome.EXIT_PASS
  end,
}
