-- strftime, in English and without zones.
--
-- Source: ISO C, 7.29.3.5; `%-d` leaves the padding out, as in glibc.

local limits = require "qspec.template.limits"

local M = {}

local MONTHS = { "January", "February", "March", "April", "May", "June", "July", "August",
  "September", "October", "November", "December" }
local DAYS = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" }
local BEFORE_MONTH = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 }
local MONTH_SHIFT = { 0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4 }  -- Sakamoto's method

local function weekday(date)
  local year = date.month < 3 and date.year - 1 or date.year
  return (year + math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
    + MONTH_SHIFT[date.month] + date.day) % 7
end

local function day_of_year(date)
  local leap = date.year % 4 == 0 and (date.year % 100 ~= 0 or date.year % 400 == 0)
  return BEFORE_MONTH[date.month] + date.day + (leap and date.month > 2 and 1 or 0)
end

local function short(name) return name:sub(1, 3) end
local function hour12(date) return (date.hour + 11) % 12 + 1 end

-- A format of a number, and the number; or a text.
local DIRECTIVES = {
  Y = function(d) return "%04d", d.year end,
  y = function(d) return "%02d", d.year % 100 end,
  m = function(d) return "%02d", d.month end,
  d = function(d) return "%02d", d.day end,
  e = function(d) return "%2d", d.day end,
  j = function(d) return "%03d", day_of_year(d) end,
  H = function(d) return "%02d", d.hour end,
  I = function(d) return "%02d", hour12(d) end,
  M = function(d) return "%02d", d.minute end,
  S = function(d) return "%02d", d.second end,
  w = function(d) return "%d", weekday(d) end,
  u = function(d) return "%d", (weekday(d) + 6) % 7 + 1 end,
  p = function(d) return d.hour < 12 and "AM" or "PM" end,
  B = function(d) return MONTHS[d.month] end,
  b = function(d) return short(MONTHS[d.month]) end,
  h = function(d) return short(MONTHS[d.month]) end,
  A = function(d) return DAYS[weekday(d) + 1] end,
  a = function(d) return short(DAYS[weekday(d) + 1]) end,
  f = function() return "000000" end,
  n = function() return "\n" end,
  t = function() return "\t" end,
  z = function() return "" end,
  Z = function() return "" end,
}

local COMPOSED = { F = "%Y-%m-%d", T = "%H:%M:%S", R = "%H:%M", D = "%m/%d/%y", x = "%m/%d/%y",
  X = "%H:%M:%S", c = "%a %b %e %H:%M:%S %Y", r = "%I:%M:%S %p" }

---@param moment string "2026-01-31T12:00:00Z"
---@return table date
function M.parse(moment)
  local year, month, day, hour, minute, second =
    moment:match("^(%d%d%d%d)-(%d%d)-(%d%d)T(%d%d):(%d%d):(%d%d)")
  if not year then error(("'%s' is no moment as 2026-01-31T12:00:00Z"):format(moment), 2) end
  return { year = tonumber(year), month = tonumber(month), day = tonumber(day),
    hour = tonumber(hour), minute = tonumber(minute), second = tonumber(second) }
end

---@param format string
---@param date table from parse
---@return string
function M.strftime(format, date)
  return (format:gsub("%%(%-?)(.?)", function(flag, letter)
    if letter == "%" then return "%" end
    if COMPOSED[letter] then return M.strftime(COMPOSED[letter], date) end
    local directive = DIRECTIVES[letter]
    if not directive then
      limits.fail(("strftime_now: '%%%s' is not supported"):format(letter), nil, "unsupported")
    end
    local text, value = directive(date)
    if value and flag == "-" then return ("%d"):format(value) end
    return value and text:format(value) or text
  end))
end

return M
