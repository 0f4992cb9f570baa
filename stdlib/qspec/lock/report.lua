-- Changes between two records, as words and as JSON.

local changes = require "qspec.lock.changes"
local json = require "host.json"
local printable = require "qspec.printable"
local units = require "qspec.units"

local M = {}

local MOST_SHOWN = 20

local TITLES = { meaning = "meaning", bytes = "bytes, not values", metadata = "metadata only" }

-- Layers repeat, and so do their changes.
local function grouped(list, kind)
  local groups, by_key = {}, {}
  for _, change in ipairs(list) do
    if change.kind == kind then
      local name = change.key:gsub("%.%d+%.", ".*.")
      local key = table.concat({ change.part, name, change.first or "", change.second or "",
        change.note or "" }, "\0")
      local group = by_key[key]
      if group then
        group.count, group.name = group.count + 1, name
      else
        by_key[key] = { name = change.key, count = 1, change = change }
        groups[#groups + 1] = by_key[key]
      end
    end
  end
  return groups
end

--- What a change is, in a few words.
---@param change qspec.Change
function M.words(change)
  local a, b = change.first, change.second
  local text = a and b and a .. " | " .. b or a and a .. " | gone" or b or ""
  if change.note then text = text .. (text ~= "" and "; " or "") .. change.note end
  return text
end

local function line_of(group)
  local change = group.change
  local part = change.part == "modules" and "" or change.part .. ": "
  return ("  %s%s%s: %s"):format(part, printable.line(group.name), group.count > 1 and " x"
    .. group.count or "", printable.line(M.words(change)))
end

local function add_kind(lines, list, kind, verbose)
  local groups, count = grouped(list, kind), 0
  for _, group in ipairs(groups) do count = count + group.count end
  if count == 0 then return end
  lines[#lines + 1] = ("%s: %s"):format(TITLES[kind], units.count(count, "change"))
  local shown = verbose and #groups or math.min(#groups, MOST_SHOWN)
  for i = 1, shown do lines[#lines + 1] = line_of(groups[i]) end
  if shown < #groups then
    lines[#lines + 1] = ("  and %d more lines; all with --verbose"):format(#groups - shown)
  end
end

--- Lines for people, the worst first.
---@param list qspec.Change[]
---@param verbose boolean|nil
---@return string[]
function M.lines(list, verbose)
  if #list == 0 then return { "nothing changed" } end
  local lines = {}
  for i = #changes.KINDS, 1, -1 do add_kind(lines, list, changes.KINDS[i], verbose) end
  return lines
end

--- For programs: schema qspec.changes/1.
---@param list qspec.Change[]
---@param first string
---@param second string
function M.to_json(list, first, second)
  return { schema = "qspec.changes/1", first = first, second = second,
    worst = changes.worst(list) or "nothing", changes = json.array(list) }
end

return M
