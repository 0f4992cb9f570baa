-- Upper and lower case. Only ASCII has a case here; characters of scripts that have one are refused
-- rather than left as they are.

local characters = require "qspec.template.characters"
local limits = require "qspec.template.limits"

local M = {}

-- Latin, Greek, Cyrillic, Armenian, Georgian, Cherokee, letters in circles, wide letters, others.
local CASED = { { 0xaa, 0xaa }, { 0xb5, 0xb5 }, { 0xba, 0xba }, { 0xc0, 0x587 },
  { 0x10a0, 0x10ff }, { 0x13a0, 0x13ff }, { 0x1c80, 0x1cbf }, { 0x1d00, 0x1fff },
  { 0x2071, 0x209c }, { 0x2100, 0x2188 }, { 0x24b6, 0x24e9 }, { 0x2c00, 0x2d2d },
  { 0xa640, 0xa7ff }, { 0xab30, 0xabbf }, { 0xfb00, 0xfb17 }, { 0xff21, 0xff5a },
  { 0x10400, 0x104ff }, { 0x10c80, 0x10cff }, { 0x118a0, 0x118df }, { 0x16e40, 0x16e7f },
  { 0x1d400, 0x1d7ff }, { 0x1e900, 0x1e943 } }

local function refuse_cased(text)
  for character in text:gmatch("[\194-\244][\128-\191]*") do
    local code = characters.decode(character)
    for _, range in ipairs(CASED) do
      if code >= range[1] and code <= range[2] then
        limits.fail(("the case of '%s' (U+%04X) is not known here"):format(character, code),
          "only ASCII letters change their case", "unsupported")
      end
    end
  end
end

--- Refuses texts whose classification needs Unicode's tables.
function M.ascii(text, what)
  if not text:find("[\128-\255]") then return text end
  limits.fail(("%s of a text beyond ASCII is not supported"):format(what), nil, "unsupported")
end

---@param text string
function M.lower(text)
  refuse_cased(text)
  return text:lower()
end

---@param text string
function M.upper(text)
  refuse_cased(text)
  return text:upper()
end

--- First character upper case, the others lower.
function M.capitalize(text)
  refuse_cased(text)
  return text:sub(1, 1):upper() .. text:sub(2):lower()
end

--- str.title: an upper case letter wherever a word begins.
function M.title(text)
  refuse_cased(text)
  return (text:lower():gsub("(%a)([%a]*)", function(first, rest) return first:upper() .. rest end))
end

function M.swap(text)
  refuse_cased(text)
  return (text:gsub("%a", function(letter)
    return letter:find("%l") and letter:upper() or letter:lower()
  end))
end

return M
