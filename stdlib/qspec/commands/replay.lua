-- qspec replay: would the default checks have caught what happened to others?

local json = require "host.json"
local outcome = require "qspec.outcome"
local printable = require "qspec.printable"
local progress = require "qspec.mutation.progress"
local registry = require "qspec.registry"
local replay = require "qspec.mutation.replay"
local system = require "host.system"
local text_table = require "qspec.text_table"

local function count(rows, wanted)
  local number = 0
  for _, row in ipairs(rows) do number = number + (wanted[row.status] and 1 or 0) end
  return number
end

local EXPRESSIBLE = { caught = true, missed = true, equivalent = true }

local function of_class(rows, name)
  local list = {}
  for _, row in ipairs(rows) do
    if row.class == name then list[#list + 1] = row end
  end
  return list
end

local function numbers(rows)
  return count(rows, { caught = true }), count(rows, EXPRESSIBLE), #rows
end

local function class_lines(rows, classes)
  local cells = { { "class", "caught", "expressible", "all" } }
  for _, class in ipairs(classes) do
    local caught, expressible, all = numbers(of_class(rows, class.name))
    cells[#cells + 1] = { class.name, tostring(caught), tostring(expressible), tostring(all) }
  end
  if #classes == 1 then return text_table.lines(cells) end
  local caught, expressible, all = numbers(rows)
  cells[#cells + 1] = { "all", tostring(caught), tostring(expressible), tostring(all) }
  return text_table.lines(cells)
end

local function said_of(row)
  if row.reason then return row.reason end
  local result = row.result
  if row.status == "equivalent" then return result.reason end
  local by = result.trial and result.trial.check
  return by and ("%s by %s at %s"):format(result.name, by, result.trial.tier) or result.name or ""
end

local function add_list(lines, title, rows, status)
  local cells = {}
  for _, row in ipairs(rows) do
    if row.status == status then
      cells[#cells + 1] = { row.id, printable.line(row.what), printable.line(said_of(row)) }
    end
  end
  if #cells == 0 then return end
  lines[#lines + 1], lines[#lines + 2] = "", title
  for _, line in ipairs(text_table.lines(cells, { indent = "  " })) do lines[#lines + 1] = line end
end

local function render(rows, classes, verbose)
  local lines = class_lines(rows, classes)
  add_list(lines, "missed", rows, "missed")
  add_list(lines, "the same model", rows, "equivalent")
  add_list(lines, "not installed", rows, "absent")
  if verbose then
    add_list(lines, "not a fault of files", rows, "inexpressible")
    add_list(lines, "caught", rows, "caught")
  end
  return table.concat(lines, "\n") .. "\n"
end

local function to_json(rows)
  local list = {}
  for i, row in ipairs(rows) do
    local result = row.result or {}
    list[i] = { id = row.id, class = row.class, what = row.what, by = row.by, status = row.status,
      reason = row.reason or result.reason, instead = row.instead,
      operator = result.operator and result.operator.id, mutant = result.name,
      check = result.trial and result.trial.check, tier = result.trial and result.trial.tier }
  end
  local caught, expressible, all = numbers(rows)
  return { schema = "qspec.replay/1", caught = caught, expressible = expressible, all = all,
    incidents = json.array(list) }
end

return {
  name = "replay",
  summary = "play known incidents again and say which the default checks catch",
  examples = { "qspec replay", "qspec replay zero_point --verbose" },
  details = [[
The incidents are data (stdlib/qspec/incidents): what went wrong in public, and the operator that
does the same to a small model. Where the small models lack the part that was hit (experts, a vision
tower), another part stands in. Incidents that no file shows, another version of a library or
another device, are counted and not played.]],
  options = function(parser)
    parser:argument("class", "A class of incidents; all unless given."):args("?")
    parser:flag("--json", "JSON instead of a table; schema qspec.replay/1.")
    parser:flag("-v --verbose", "Every incident.")
  end,
  run = function(args)
    local incidents = registry("incidents")
    local classes = args.class and { incidents.get(args.class) } or incidents.all()
    local line = progress.open()
    local rows = replay.run(classes, line.show)
    line.clear()
    system.stdout(args.json and json.encode(to_json(rows), { indent = 2 }) .. "\n"
      or render(rows, classes, args.verbose))
    return outcome.EXIT_PASS
  end,
}
