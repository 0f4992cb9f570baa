-- The inspection as a person reads it.

local text_table = require "qspec.text_table"
local units = require "qspec.units"

local M = {}

-- "transformer.h.0.mlp.x" -> "transformer.h.*.mlp.x": layers repeat, their lines need not.
local function family_of(name)
  return (name:gsub("%.%d+%.", ".*."))
end

local function shape_of(row)
  return table.concat(row.module.shape, " x ")
end

local function key_of(row)
  return table.concat({ family_of(row.name), row.class, tostring(row.logical_dtype), row.status,
    shape_of(row) }, "\0")
end

-- Rows of one kind together, in the order of their first.
local function grouped(rows, verbose)
  local groups, by_key = {}, {}
  for _, row in ipairs(rows) do
    local key = verbose and row.name or key_of(row)
    local group = by_key[key]
    if not group then
      group = { row = row, count = 0, bytes = 0,
        name = verbose and row.name or family_of(row.name) }
      by_key[key] = group
      groups[#groups + 1] = group
    end
    group.count = group.count + 1
    group.bytes = group.bytes + row.stored
  end
  return groups
end

local function line_of(group)
  local row = group.row
  return { group.name, group.count > 1 and "x" .. group.count or "", row.class, shape_of(row),
    tostring(row.logical_dtype or "-"), row.requested, row.status, units.bytes(group.bytes),
    row.reason or row.tied_to and "tied to " .. row.tied_to or "" }
end

local HEADER = { "module", "", "class", "shape", "holds", "requested", "status", "stored", "" }

local function summary(result)
  local subject, footprint = result.subject, result.footprint
  local lines = { ("%s: %s, %s"):format(subject.path, subject.architecture.name, subject.format
    and subject.format.name .. " " .. tostring(subject.requested.type or "?") or "full precision") }
  lines[#lines + 1] = ("footprint %s as transformers counts it, %s stored"):format(
    units.bytes(footprint.transformers), units.bytes(footprint.stored))
  lines[#lines] = ("%s, %.3g bits a weight"):format(lines[#lines], result.bits_per_weight)
  if footprint.ratio then
    lines[#lines] = ("%s, %.3f times smaller than full precision"):format(lines[#lines],
      footprint.ratio)
  end
  lines[#lines + 1] = footprint.note
  return lines
end

--- Renders an inspection.
---@param result table from inspection.take
---@param verbose boolean one line a module
---@return string
function M.render(result, verbose)
  local lines, rows = summary(result), { HEADER }
  for _, group in ipairs(grouped(result.census.modules, verbose)) do
    rows[#rows + 1] = line_of(group)
  end
  lines[#lines + 1] = ""
  for _, line in ipairs((text_table.lines(rows))) do lines[#lines + 1] = line end
  lines[#lines + 1] = ""
  lines[#lines + 1] = #result.findings == 0 and "no findings"
    or units.count(#result.findings, "finding")
  for _, finding in ipairs(result.findings) do
    local about = { finding.module or finding.key or "", finding.module and finding.key or nil }
    lines[#lines + 1] = ("  %s  %s: found %s, wanted %s"):format(finding.check,
      table.concat(about, " "), finding.found, finding.wanted)
    if finding.hint then lines[#lines + 1] = "    hint: " .. finding.hint end
  end
  return table.concat(lines, "\n") .. "\n"
end

return M
