-- Colour and line drawing, by what the stream can show.

local M = {}

local CODES = { pass = "32", fail = "1;31", error = "1;35", inconclusive = "1;33", skip = "33",
  dim = "2", bold = "1" }

local MARKS = { pass = "✓", fail = "✗", skip = "-", error = "!", inconclusive = "?", dot = "·",
  ellipsis = "…" }
local ASCII_MARKS = { pass = "+", fail = "x", skip = "-", error = "!", inconclusive = "?",
  dot = "|", ellipsis = "..." }

local function is_utf8_locale(env)
  for _, name in ipairs({ "LC_ALL", "LC_CTYPE", "LANG" }) do
    local value = env(name)
    if value and value ~= "" then
      return value:lower():find("utf%-?8") ~= nil
    end
  end
  return false
end

---What a stream of this process can show. NO_COLOR (any value but empty) and TERM=dumb are obeyed.
---@param stream 1|2 stdout or stderr
---@param system table? host.system unless given
---@return { tty: boolean, colour: boolean, ascii: boolean, columns: integer }
function M.detect(stream, system)
  system = system or require("host.system")
  local tty = system.isatty(stream)
  local refused = (system.env("NO_COLOR") or "") ~= "" or system.env("TERM") == "dumb"
  return {
    tty = tty,
    colour = tty and not refused,
    ascii = not is_utf8_locale(system.env),
    columns = tty and system.columns() or 100,
  }
end

---A painter: style.fail("text") and so on for pass, fail, error,
---inconclusive, skip, dim, bold; style.marks.
---@param options { colour: boolean?, ascii: boolean? }
---@return table
function M.new(options)
  local painter = { marks = options.ascii and ASCII_MARKS or MARKS }
  for name, code in pairs(CODES) do
    painter[name] = function(text)
      return options.colour and text ~= "" and "\27[" .. code .. "m" .. text .. "\27[0m" or text
    end
  end
  return painter
end

return M
