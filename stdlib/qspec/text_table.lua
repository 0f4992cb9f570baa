-- Aligned columns of text that may hold any UTF-8.

local M = {}

-- Code points of width 0 and of width 2, as {first, last}: combining marks and joiners; East Asian
-- wide forms and emoji. The common blocks, not the whole of UAX #11.
local ZERO_WIDTH = {
  { 0x0300, 0x036F }, { 0x0483, 0x0489 }, { 0x0591, 0x05BD }, { 0x064B, 0x065F },
  { 0x0E34, 0x0E3A }, { 0x0E47, 0x0E4E }, { 0x200B, 0x200F }, { 0x20D0, 0x20FF },
  { 0xFE00, 0xFE0F }, { 0xFE20, 0xFE2F }, { 0xFEFF, 0xFEFF },
}
local DOUBLE_WIDTH = {
  { 0x1100, 0x115F }, { 0x2E80, 0x303E }, { 0x3041, 0xA4CF }, { 0xA960, 0xA97F },
  { 0xAC00, 0xD7A3 }, { 0xF900, 0xFAFF }, { 0xFE30, 0xFE6F }, { 0xFF00, 0xFF60 },
  { 0xFFE0, 0xFFE6 }, { 0x1F300, 0x1F64F }, { 0x1F680, 0x1F6FF }, { 0x1F900, 0x1F9FF },
  { 0x20000, 0x3FFFD },
}

local NARROWEST = 40

local function is_within(code_point, ranges)
  for _, range in ipairs(ranges) do
    if code_point >= range[1] and code_point <= range[2] then
      return true
    end
  end
  return false
end

local function code_point_of(sequence)
  local lead = sequence:byte()
  local value = lead >= 0xF0 and lead % 0x08 or lead >= 0xE0 and lead % 0x10 or lead % 0x20
  for i = 2, #sequence do
    value = value * 0x40 + sequence:byte(i) % 0x40
  end
  return value
end

---Columns that a text takes on a terminal. The text has no control characters.
---@param text string UTF-8
---@return integer
function M.width(text)
  if not text:find("[\128-\255]") then
    return #text
  end
  local _, width = text:gsub("[%z\1-\127\194-\244]", "")
  for sequence in text:gmatch("[\204-\244][\128-\191]+") do
    local code_point = code_point_of(sequence)
    if is_within(code_point, ZERO_WIDTH) then
      width = width - 1
    elseif is_within(code_point, DOUBLE_WIDTH) then
      width = width + 1
    end
  end
  return width
end

---The text filled with blanks up to a width.
---@param text string
---@param width integer
---@param align "left"|"right"|nil
---@return string
function M.pad(text, width, align)
  local blanks = (" "):rep(width - M.width(text))
  return align == "right" and blanks .. text or text .. blanks
end

local function column_widths(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for column, cell in ipairs(row) do
      widths[column] = math.max(widths[column] or 0, M.width(cell))
    end
  end
  return widths
end

---Rows of cells as lines, without blanks at their ends.
---@param rows string[][]
---@param options { indent: string?, gap: string?, align: table<integer, "right">? }?
---@return string[] lines
---@return integer widest width of the widest line
function M.lines(rows, options)
  options = options or {}
  local widths, align = column_widths(rows), options.align or {}
  local lines, widest = {}, 0
  for i, row in ipairs(rows) do
    local cells = {}
    for column, cell in ipairs(row) do
      cells[column] = M.pad(cell, widths[column], align[column])
    end
    local line = (options.indent or "") .. table.concat(cells, options.gap or "  ")
    lines[i] = line:gsub(" +$", "")
    widest = math.max(widest, M.width(lines[i]))
  end
  return lines, widest
end

---A text broken at blanks into lines of at most `width` columns; longer words stay whole.
---@param text string
---@param width integer without the indent; at least 40 is taken
---@param indent string?
---@return string[]
function M.wrap(text, width, indent)
  indent, width = indent or "", math.max(width, NARROWEST)
  local lines, line = {}, nil
  for word in text:gmatch("%S+") do
    if line and M.width(line) + 1 + M.width(word) <= width then
      line = line .. " " .. word
    else
      lines[#lines + 1] = line and indent .. line
      line = word
    end
  end
  lines[#lines + 1] = line and indent .. line
  return lines
end

---The beginning of a text, cut at a blank where there is one, ending in `ellipsis`.
---@param text string
---@param width integer
---@param ellipsis string
---@return string
function M.shorten(text, width, ellipsis)
  if M.width(text) <= width then
    return text
  end
  local kept, room = "", width - M.width(ellipsis)
  for character in text:gmatch("[%z\1-\127\194-\244][\128-\191]*") do
    if M.width(kept) + M.width(character) > room then
      break
    end
    kept = kept .. character
  end
  return (kept:match("^(.*%S)%s+%S*$") or kept) .. ellipsis
end

return M
