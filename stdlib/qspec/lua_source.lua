-- Lua source as a person writes it: literals, and calls with a table, at most 100 columns wide.

local printable = require "qspec.printable"

local M = {}

local WIDTH = 100

local SHORT = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

--- A text as a literal on one line. Control characters, bytes that are no UTF-8 and what steers a
--- terminal are escaped, so that what is read back is the same, byte for byte.
---@param text string
---@return string
function M.quote(text)
  return '"' .. printable.line((text:gsub('[\\"\n\r\t]', SHORT))) .. '"'
end

-- A sequence of UTF-8 is not cut.
local SEQUENCE = "^[%z\1-\127\192-\255]?[\128-\191]*"

-- The text in pieces whose literals take at most `most` bytes, cut behind blanks where there are.
local function pieces_of(text, most)
  local pieces, first, position, size, blank = {}, 1, 1, 2, nil
  while position <= #text do
    local _, last = text:find(SEQUENCE, position)
    local more = #M.quote(text:sub(position, last)) - 2
    if size + more > most and position > first then
      local cut = blank or position
      pieces[#pieces + 1] = text:sub(first, cut - 1)
      first, position, size, blank = cut, cut, 2, nil
    else
      size, position = size + more, last + 1
      if text:find("^%s", last) then blank = position end
    end
  end
  pieces[#pieces + 1] = text:sub(first)
  return pieces
end

--- A text as one entry of a list: a literal, or several joined by "..", one below the other.
---@param text string
---@param indent string
---@return string lines the first of them indented, a comma behind the last
function M.entry(text, indent)
  local whole = indent .. M.quote(text) .. ","
  if #whole <= WIDTH then return whole end
  local literals = {}
  for i, piece in ipairs(pieces_of(text, WIDTH - #indent - 6)) do literals[i] = M.quote(piece) end
  return indent .. table.concat(literals, "\n" .. indent .. "  .. ") .. ","
end

-- Items behind each other, as many as a line takes.
local function filled(items, indent)
  local lines, line = {}, nil
  for _, item in ipairs(items) do
    local longer = line and line .. " " .. item .. ","
    if longer and #longer <= WIDTH then
      line = longer
    else
      lines[#lines + 1] = line
      line = indent .. item .. ","
    end
  end
  lines[#lines + 1] = line
  return lines
end

local function assigned(fields)
  local items = {}
  for i, field in ipairs(fields) do items[i] = field[1] .. " = " .. field[2] end
  return items
end

--- A call of a verb with a table: `layers { "*.mlp.*", class = "Linear" }`.
---@param verb string
---@param texts string[] its unnamed values
---@param fields { [1]: string, [2]: string }[] names and the source of their values
---@return string source without a line feed at its end
function M.call(verb, texts, fields)
  local items = {}
  for i, text in ipairs(texts) do items[i] = M.quote(text) end
  for _, item in ipairs(assigned(fields)) do items[#items + 1] = item end
  if #items == 0 then return verb .. " {}" end
  local line = verb .. " { " .. table.concat(items, ", ") .. " }"
  if #line <= WIDTH then return line end
  local lines = { verb .. " {" }
  for i = 1, #texts do items[i] = M.quote(texts[i]) end
  for _, group in ipairs { { unpack(items, 1, #texts) }, assigned(fields) } do
    for _, one in ipairs(filled(group, "  ")) do lines[#lines + 1] = one end
  end
  lines[#lines + 1] = "}"
  return table.concat(lines, "\n")
end

--- A comment of as many lines as it needs.
---@param text string one line
---@return string
function M.comment(text)
  local wrapped = require("qspec.text_table").wrap(printable.line(text), WIDTH - 3)
  return "-- " .. table.concat(wrapped, "\n-- ")
end

return M
