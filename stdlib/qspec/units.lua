-- Numbers for people: units and no more digits than mean something. Reports for programs do not
-- use this.

local M = {}

local BYTE_UNITS = { "kB", "MB", "GB", "TB", "PB" }

-- Three significant digits, as 2.36, 23.6 and 236.
local function three_digits(value)
  local decimals = value >= 99.95 and 0 or value >= 9.995 and 1 or 2
  return string.format("%." .. decimals .. "f", value)
end

---@param count number bytes; units are decimal, as file sizes are given
---@return string as in "2.36 MB"
function M.bytes(count)
  local sign, value = count < 0 and "-" or "", math.abs(count)
  if value < 1000 then
    return string.format("%s%d B", sign, value)
  end
  local unit = 0
  while value >= 999.5 and unit < #BYTE_UNITS do
    value, unit = value / 1000, unit + 1
  end
  return sign .. three_digits(value) .. " " .. BYTE_UNITS[unit]
end

---@param seconds number
---@return string as in "0.4 ms", "12 ms", "1.24 s", "2 min 05 s"
function M.seconds(seconds)
  if seconds < 0.00995 then
    return string.format("%.1f ms", seconds * 1000)
  elseif seconds < 0.9995 then
    return string.format("%.0f ms", seconds * 1000)
  elseif seconds < 99.95 then
    return three_digits(seconds) .. " s"
  end
  local whole = math.floor(seconds + 0.5)
  return string.format("%d min %02d s", math.floor(whole / 60), whole % 60)
end

---@param value number
---@return string at most six significant digits; whole numbers in full
function M.number(value)
  if value % 1 == 0 and math.abs(value) < 1e15 then
    return string.format("%.0f", value)
  end
  return string.format("%.6g", value)
end

---@param count integer
---@param noun string
---@param plural string? noun .. "s" unless given
---@return string as in "1 finding", "3 findings"
function M.count(count, noun, plural)
  return string.format("%d %s", count, count == 1 and noun or plural or noun .. "s")
end

---@param db number|nil
---@return string as in "17.3 dB"; "none" of an error that is not there, "-" when nothing is known
function M.decibels(db)
  if not db then return "-" end
  if db == math.huge then return "none" end
  return db == db and string.format("%.1f dB", db) or "NaN"
end

---A value of a report, its unit taken from the last word of its key.
---@param key string as in "stored_bytes", "sqnr_db", "seconds"
---@param value any
---@return string
function M.measured(key, value)
  if type(value) == "table" then
    local shown = {}
    for i = 1, #value do
      shown[i] = M.measured(key, value[i])
    end
    return table.concat(shown, ", ")
  elseif type(value) ~= "number" then
    return tostring(value)
  end
  local unit = key:match("([^_]+)$")
  if unit == "bytes" then
    return M.bytes(value)
  elseif unit == "seconds" then
    return M.seconds(value)
  elseif unit == "db" then
    return string.format("%.1f dB", value)
  end
  return M.number(value)
end

return M
