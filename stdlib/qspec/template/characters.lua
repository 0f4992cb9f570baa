-- Texts as Python sees them: counted in characters, with Python's white space.
--
-- Texts are UTF-8, and Lua counts bytes. Positions here count characters from 0.

local M = {}

local CHARACTER = "[%z\1-\127\194-\244][\128-\191]*"

--- White space of str.isspace() and of `\s` in re, beyond ASCII.
local SPACES = { ["\194\133"] = true, ["\194\160"] = true, ["\225\154\128"] = true,
  ["\226\128\168"] = true, ["\226\128\169"] = true, ["\226\128\175"] = true,
  ["\226\129\159"] = true, ["\227\128\128"] = true }
for last = 128, 138 do SPACES["\226\128" .. string.char(last)] = true end

---@param character string one character
function M.is_space(character)
  local byte = character:byte()
  if byte < 0x80 then return byte == 32 or byte >= 9 and byte <= 13 or byte >= 28 and byte <= 31 end
  return SPACES[character] or false
end

---@param text string
---@return integer characters
function M.length(text)
  if not text:find("[\128-\255]") then return #text end
  local _, continuing = text:gsub("[\128-\191]", "")
  return #text - continuing
end

---@param text string
---@return string[] characters
function M.list(text)
  local all = {}
  for character in text:gmatch(CHARACTER) do all[#all + 1] = character end
  return all
end

-- The byte at which the character at `index` begins.
local function byte_of(text, index)
  local at, passed = 1, 0
  while passed < index and at <= #text do
    at = text:find("[^\128-\191]", at + 1) or #text + 1
    passed = passed + 1
  end
  return at
end

--- The characters from `first` up to, not including, `last`.
---@param text string
---@param first integer
---@param last integer
function M.sub(text, first, last)
  if last <= first then return "" end
  if not text:find("[\128-\255]") then return text:sub(first + 1, last) end
  local from = byte_of(text, first)
  local rest = text:sub(from)
  return rest:sub(1, byte_of(rest, last - first) - 1)
end

--- How many characters come before a byte.
function M.index(text, byte)
  return M.length(text:sub(1, byte - 1))
end

local function stripped_set(characters)
  if not characters then return M.is_space end
  local set = {}
  for _, character in ipairs(M.list(characters)) do set[character] = true end
  return function(character) return set[character] or false end
end

--- str.lstrip
---@param text string
---@param characters string? white space unless given
function M.strip_left(text, characters)
  local drops, at = stripped_set(characters), 1
  while at <= #text do
    local character = text:match("^" .. CHARACTER, at)
    if not (character and drops(character)) then break end
    at = at + #character
  end
  return text:sub(at)
end

--- str.rstrip
function M.strip_right(text, characters)
  local drops, last = stripped_set(characters), #text
  while last > 0 do
    local first = last
    while first > 1 and text:find("^[\128-\191]", first) do first = first - 1 end
    if not drops(text:sub(first, last)) then break end
    last = first - 1
  end
  return text:sub(1, last)
end

--- str.strip
function M.strip(text, characters)
  return M.strip_right(M.strip_left(text, characters), characters)
end

--- Code point to UTF-8.
---@param code integer
function M.encode(code)
  if code < 0x80 then return string.char(code) end
  local function continuing(shift) return 0x80 + math.floor(code / 2 ^ shift) % 64 end
  if code < 0x800 then return string.char(0xc0 + math.floor(code / 64), continuing(0)) end
  if code < 0x10000 then
    return string.char(0xe0 + math.floor(code / 4096), continuing(6), continuing(0))
  end
  return string.char(0xf0 + math.floor(code / 2 ^ 18), continuing(12), continuing(6), continuing(0))
end

--- UTF-8 to code point.
---@param character string
function M.decode(character)
  local first = character:byte()
  if first < 0x80 then return first end
  local code = first < 0xe0 and first - 0xc0 or first < 0xf0 and first - 0xe0 or first - 0xf0
  for i = 2, #character do code = code * 64 + character:byte(i) - 0x80 end
  return code
end

return M
