-- A comparison as a person reads it: the worst first, what is equal counted.

local printable = require "qspec.printable"
local text_table = require "qspec.text_table"
local units = require "qspec.units"

local M = {}

local MOST_SHOWN = 20
local HEADER = { "module", "holds", "reference", "SQNR", "cosine", "NMSE", "largest error",
  "worst block" }

local function worst_first(modules)
  local differing = {}
  for _, entry in ipairs(modules) do
    if not entry.skipped and not entry.equal then differing[#differing + 1] = entry end
  end
  table.sort(differing, function(a, b)
    if a.sqnr_db ~= b.sqnr_db then return a.sqnr_db < b.sqnr_db end
    return a.module < b.module
  end)
  return differing
end

local function worst_block(entry)
  if not entry.worst_block then return "-" end
  return ("#%d, %.2f dB"):format(entry.worst_block, entry.worst_block_sqnr_db)
end

local function line_of(entry)
  return { printable.line(entry.module), tostring(entry.holds), tostring(entry.reference_holds),
    ("%.2f dB"):format(entry.sqnr_db), ("%.6f"):format(entry.cosine), ("%.3g"):format(entry.nmse),
    ("%.4g"):format(entry.max_abs_error), worst_block(entry) }
end

local function add_names(lines, names, where)
  if #names == 0 then return end
  lines[#lines + 1] = ("only in %s: %s%s"):format(where, printable.line(names[1]),
    #names > 1 and (" and %d more"):format(#names - 1) or "")
end

local function add_skipped(lines, modules)
  for _, entry in ipairs(modules) do
    if entry.skipped then
      lines[#lines + 1] = "not compared: " .. printable.line(entry.module) .. ": " .. entry.skipped
    end
  end
end

local function add_table(lines, differing, verbose)
  local rows, shown = { HEADER }, verbose and #differing or math.min(#differing, MOST_SHOWN)
  for i = 1, shown do rows[i + 1] = line_of(differing[i]) end
  for _, line in ipairs((text_table.lines(rows))) do lines[#lines + 1] = line end
  if shown < #differing then
    lines[#lines + 1] = ("and %d better ones; all with --verbose"):format(#differing - shown)
  end
end

--- Renders a comparison.
---@param result table from comparison.take
---@param reference string its path
---@param candidate string its path
---@param verbose boolean every module
---@return string
function M.render(result, reference, candidate, verbose)
  local differing, skipped = worst_first(result.modules), 0
  for _, entry in ipairs(result.modules) do skipped = skipped + (entry.skipped and 1 or 0) end
  local lines = { ("%s against %s: %s, %d equal"):format(candidate, reference,
    units.count(#differing, "weight differs", "weights differ"),
    #result.modules - #differing - skipped) }
  if #differing > 0 then
    lines[#lines + 1] = ""
    add_table(lines, differing, verbose)
  end
  add_skipped(lines, result.modules)
  add_names(lines, result.only_candidate, candidate)
  add_names(lines, result.only_reference, reference)
  return table.concat(lines, "\n") .. "\n"
end

return M
