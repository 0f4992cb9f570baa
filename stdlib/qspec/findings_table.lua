-- Findings for people: a table where it fits, one below another where it does not.

local printable = require "qspec.printable"
local text_table = require "qspec.text_table"
local units = require "qspec.units"

local M = {}

local FINDINGS_SHOWN = 10
local INDENT = "      "

local COLUMNS = { "module", "key", "found", "wanted", "where" }
local TITLES = { module = "module", key = "what", found = "found", wanted = "wanted",
  where = "spec line" }

local function cell_of(finding, column)
  local value = finding[column]
  return value == nil and "" or printable.line(tostring(value))
end

-- A column that no finding fills is left out.
local function filled_columns(findings, shown)
  local columns = {}
  for _, column in ipairs(COLUMNS) do
    for i = 1, shown do
      if cell_of(findings[i], column) ~= "" then
        columns[#columns + 1] = column
        break
      end
    end
  end
  return columns
end

-- The first row has the titles.
local function rows_of(findings, shown)
  local columns = filled_columns(findings, shown)
  local rows = { {} }
  for j, column in ipairs(columns) do
    rows[1][j] = TITLES[column]
    for i = 1, shown do
      rows[i + 1] = rows[i + 1] or {}
      rows[i + 1][j] = cell_of(findings[i], column)
    end
  end
  return rows
end

local function append(lines, more)
  for _, line in ipairs(more) do
    lines[#lines + 1] = line
  end
end

local function stacked(rows, style)
  local lines = {}
  for i = 2, #rows do
    local cells = {}
    for j, cell in ipairs(rows[i]) do
      if cell ~= "" then
        cells[#cells + 1] = { rows[1][j], cell }
      end
    end
    local finding = text_table.lines(cells, { indent = INDENT })
    finding[1] = style.bold(finding[1])
    append(lines, finding)
  end
  return lines
end

local function hints(findings, shown, columns)
  local lines, seen = {}, {}
  for i = 1, shown do
    local hint = findings[i].hint
    if hint and hint ~= "" and not seen[hint] then
      seen[hint] = true
      append(lines, text_table.wrap("hint: " .. printable.line(hint), columns - #INDENT, INDENT))
    end
  end
  return lines
end

---@class qspec.Finding
---@field module string?
---@field key string? what about the module, or of the config
---@field found any
---@field wanted any
---@field where string? file:line of the spec
---@field hint string?

---@param findings qspec.Finding[]
---@param options { columns: integer, style: table, verbose: boolean? }
---@return string[] lines
function M.lines(findings, options)
  local shown = options.verbose and #findings or math.min(#findings, FINDINGS_SHOWN)
  if shown == 0 then
    return {}
  end
  local style, rows = options.style, rows_of(findings, shown)
  local lines, widest = text_table.lines(rows, { indent = INDENT, gap = "   " })
  if widest > options.columns then
    lines = stacked(rows, style)
  else
    lines[1] = style.dim(lines[1])
  end
  if shown < #findings then
    local more = units.count(#findings - shown, "more finding")
    lines[#lines + 1] = INDENT .. style.dim("and " .. more .. " (--verbose shows all)")
  end
  append(lines, hints(findings, shown, options.columns))
  return lines
end

return M
