-- qspec list: what this installation has.

local json = require "host.json"
local printable = require "qspec.printable"
local registry = require "qspec.registry"
local system = require "host.system"
local text_table = require "qspec.text_table"

local M = {
  name = "list",
  summary = "list checks, formats, architectures, operators, tokenizer classes, reporters, ...",
  examples = { "qspec list", "qspec list checks", "qspec list --json" },
}

local KINDS = { "checks", "formats", "architectures", "operators", "tokenizer_classes", "reporters",
  "commands", "specs" }

local LONGEST_SPEC = 4 * 1024 * 1024

-- A spec's summary is the comment that opens it: listing must not run the file.
local function spec_summary(path)
  local ok, text = pcall(system.read, path, LONGEST_SPEC)
  local comment = ok and text:match("^%s*%-%-+%s*([^\n]+)")
  return comment and printable.line(comment) or ""
end

local function specs()
  local folder, entries = system.home() .. "/specs", {}
  for _, file in ipairs(system.list(folder) or {}) do
    if file:find("%.lua$") then
      local path = folder .. "/" .. file
      entries[#entries + 1] = { name = "specs/" .. file, summary = spec_summary(path), path = path }
    end
  end
  return entries
end

local function registered(kind)
  local entries = {}
  for i, entry in ipairs(registry(kind).all()) do
    entries[i] = { name = entry.name, summary = entry.summary, needs = entry.needs }
  end
  return entries
end

local function entries_of(kind)
  return kind == "specs" and specs() or registered(kind)
end

local function print_text(kinds)
  local blocks = {}
  for i, kind in ipairs(kinds) do
    local rows = {}
    for j, entry in ipairs(entries_of(kind)) do
      rows[j] = kind == "checks" and { entry.name, entry.needs, entry.summary }
        or { entry.name, entry.summary }
    end
    local lines = text_table.lines(rows, { indent = "  " })
    blocks[i] = kind .. "\n" .. table.concat(lines, "\n") .. "\n"
  end
  system.stdout(table.concat(blocks, "\n"))
end

local function print_json(kinds)
  local report = { schema = "qspec.list/1" }
  for _, kind in ipairs(kinds) do
    report[kind] = json.array(entries_of(kind))
  end
  system.stdout(json.encode(report, { indent = 2, sort = true }) .. "\n")
end

function M.options(parser)
  parser:argument("kind", "What to list; everything unless given."):args("?"):choices(KINDS)
  parser:flag("--json", "Write JSON.")
end

function M.run(args)
  local kinds = args.kind and { args.kind } or KINDS
  local print_kinds = args.json and print_json or print_text
  print_kinds(kinds)
  return 0
end

return M
