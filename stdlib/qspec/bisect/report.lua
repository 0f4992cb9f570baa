-- A bisection for people, and for programs.

local exclusion_lists = require "qspec.exclusion_lists"
local json = require "host.json"
local printable = require "qspec.printable"
local text_table = require "qspec.text_table"
local units = require "qspec.units"

local M = {}

local LONGEST_LIST = 12  -- modules that are shown one by one
local LEAST_DB = 3  -- of an output; 2 bits leave more

local function line(text)
  return printable.line(tostring(text))
end

local function names_of(result, places)
  local names = {}
  for _, place in ipairs(places) do
    names[#names + 1] = result.exchange.units[place].name
  end
  return names
end

-- Modules that are in question for an exclusion list: those that are packed, or all.
local function modules_of(result, places)
  local names = {}
  for _, place in ipairs(places) do
    local unit = result.exchange.units[place]
    local list = #unit.packed > 0 and unit.packed or unit.modules
    for _, name in ipairs(list) do names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

local function is_packed(result, places)
  for _, place in ipairs(places) do
    if #result.exchange.units[place].packed == 0 then return false end
  end
  return true
end

-- Text --------------------------------------------------------------------------------------------

local function headline(result)
  local culprits = result.culprits
  local alone, together = #culprits.singles, #culprits.together
  if culprits.spread then
    return ("%sthe error is spread: leaving out the worst %d of %d is enough"):format(alone > 0
      and units.count(alone, "culprit") .. ", and else " or "", #culprits.enough,
      #result.exchange.units)
  elseif together == 0 then
    return alone == 1 and "1 module breaks it" or alone .. " modules break it, each alone"
  elseif alone > 0 then
    return ("%s alone, and %d more only with others"):format(alone == 1 and "1 module breaks it"
      or alone .. " modules break it, each", together)
  end
  return ("no module breaks it alone; a minimal set: %s"):format(units.count(together, "module"))
end

local function culprit_lines(result)
  local rows = { { "module", "alone", "added", "stored" } }
  for i, place in ipairs(result.culprits.named) do
    if i > LONGEST_LIST then break end
    local unit, alone = result.exchange.units[place], result.each[i]
    rows[#rows + 1] = { line(unit.name), alone and line(alone.said) or "",
      units.decibels(result.added_db[place]), units.bytes(unit.stored_bytes) }
  end
  local lines = text_table.lines(rows, { indent = "  ", align = { [3] = "right" } })
  local more = #result.culprits.named - LONGEST_LIST
  if more > 0 then lines[#lines + 1] = ("  and %d more (--json has all)"):format(more) end
  return lines
end

local function verdict_text(verdict)
  return ("%s, %s"):format(line(verdict.said), verdict.holds and "holds" or "fails")
end

local function confirmation(result)
  local fewer = #result.culprits.enough < #result.culprits.named
  local lines = {
    "these alone:   " .. verdict_text(result.only),
    ("without %s: "):format(fewer and table.concat(names_of(result, result.culprits.enough), ", ")
      or "them") .. verdict_text(result.without),
  }
  if result.only.holds then
    table.insert(lines, 2, "  they break it only with the errors of the others")
  end
  return lines
end

-- An output that is mostly error was not made by rounding.
local function has_damage(result)
  for _, place in ipairs(result.culprits.named) do
    local db = result.added_db[place]
    if db and not (db >= LEAST_DB) then return true end
  end
  return false
end

-- One library a line, so that a list can be copied whole.
local function exclusion_lines(result)
  if not is_packed(result, result.culprits.enough) then
    return { "not all of them are packed: no exclusion list helps, the file is not the baseline's" }
  end
  local lines = {}
  if has_damage(result) then
    lines[1] = ("an error under %d dB is no rounding: the weights are damaged, or read wrongly")
      :format(LEAST_DB)
  end
  lines[#lines + 1] = "to leave out of the quantization:"
  for _, list in ipairs(exclusion_lists.of(modules_of(result, result.culprits.enough),
    result.exchange.subject)) do
    lines[#lines + 1] = ("  %s%s"):format(table.concat(list.formats, ", "), list.note
      and " (" .. list.note .. ")" or "")
    lines[#lines + 1] = "    " .. line(list.text)
  end
  return lines
end

local function append(lines, more)
  for _, text in ipairs(more) do lines[#lines + 1] = text end
end

--- The result as text.
---@param result qspec.Bisection
---@param name string of the model
---@return string
function M.render(result, name)
  local lines = { ("%s: %s of %s differ, wanted: %s"):format(line(name),
    units.count(#result.exchange.units, "module"), line(result.exchange.subject.baseline.path),
    line(result.text)),
    ("checkpoint: %s; baseline: %s"):format(line(result.checkpoint.said),
      line(result.baseline.said)), "", headline(result) }
  append(lines, culprit_lines(result))
  lines[#lines + 1] = ""
  append(lines, confirmation(result))
  lines[#lines + 1] = units.count(result.judge.evaluations, "evaluation")
  lines[#lines + 1] = ""
  append(lines, exclusion_lines(result))
  return table.concat(lines, "\n") .. "\n"
end

-- JSON --------------------------------------------------------------------------------------------

local function number_or_text(value)
  if type(value) ~= "number" or (value == value and math.abs(value) < math.huge) then
    return value
  end
  return value ~= value and "NaN" or value > 0 and "Infinity" or "-Infinity"
end

local function plain_verdict(verdict)
  local values = {}
  for name, value in pairs(verdict.values or {}) do values[name] = number_or_text(value) end
  return { holds = verdict.holds, found = printable.utf8(verdict.said), values = values }
end

local function list_of(items)
  return json.array(items)
end

local function plain_culprits(result)
  local list = {}
  for i, place in ipairs(result.culprits.named) do
    local unit, db, alone = result.exchange.units[place], result.added_db[place], result.each[i]
    list[i] = { module = unit.name, modules = list_of(unit.modules),
      stored_bytes = unit.stored_bytes, added_db = db and number_or_text(db) or nil,
      alone = alone and plain_verdict(alone) or nil }
  end
  return list_of(list)
end

local function plain_lists(result)
  if not is_packed(result, result.culprits.enough) then return list_of {} end
  local lists = {}
  for i, list in ipairs(exclusion_lists.of(modules_of(result, result.culprits.enough),
    result.exchange.subject)) do
    lists[i] = { formats = list_of(list.formats), text = list.text, note = list.note }
  end
  return list_of(lists)
end

--- The result as plain data, schema qspec.bisect/1.
---@param result qspec.Bisection
---@param name string
---@return table
function M.to_json(result, name)
  return { schema = "qspec.bisect/1", model = name, path = result.exchange.subject.path,
    baseline_path = result.exchange.subject.baseline.path, wanted = result.text,
    modules = #result.exchange.units, evaluations = result.judge.evaluations,
    checkpoint = plain_verdict(result.checkpoint), baseline = plain_verdict(result.baseline),
    culprits = plain_culprits(result),
    together = list_of(names_of(result, result.culprits.together)), spread = result.culprits.spread,
    enough = list_of(names_of(result, result.culprits.enough)),
    without = plain_verdict(result.without), only = plain_verdict(result.only),
    exclude = plain_lists(result) }
end

return M
