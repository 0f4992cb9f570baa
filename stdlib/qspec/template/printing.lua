-- Values as text: str() and repr() of Python, and json.dumps.

local characters = require "qspec.template.characters"
local limits = require "qspec.template.limits"
local values = require "qspec.template.values"

local M = {}

-- The fewest digits that read back equal, without trailing zeros, and the decimal exponent.
local function shortest(value)
  for digits = 0, 16 do
    local text = ("%." .. digits .. "e"):format(value)
    if tonumber(text) == value then
      local first, rest, exponent = text:match("^(%d)%.?(%d*)e([+-]%d+)$")
      return (first .. rest):gsub("0+$", ""), tonumber(exponent)
    end
  end
end

local LARGEST_FIXED = 16  -- from 1e16 on, and below 1e-4, with an exponent

--- repr(float)
---@param value number
---@return string
function M.float(value)
  if value ~= value then return "nan" end
  if value == math.huge then return "inf" end
  if value == -math.huge then return "-inf" end
  local sign = (value < 0 or 1 / value < 0) and "-" or ""
  if value == 0 then return sign .. "0.0" end
  local digits, exponent = shortest(math.abs(value))
  if exponent < -4 or exponent >= LARGEST_FIXED then
    local rest = digits:sub(2)
    return sign .. digits:sub(1, 1) .. (rest ~= "" and "." .. rest or "")
      .. ("e%s%02d"):format(exponent < 0 and "-" or "+", math.abs(exponent))
  elseif exponent < 0 then
    return sign .. "0." .. ("0"):rep(-exponent - 1) .. digits
  end
  digits = digits .. ("0"):rep(exponent + 1 - #digits)
  local rest = digits:sub(exponent + 2)
  return sign .. digits:sub(1, exponent + 1) .. "." .. (rest ~= "" and rest or "0")
end

-- Beyond ASCII, what repr() escapes: controls, formats, separators, private use. First and last.
local HIDDEN = { { 0x80, 0xa0 }, { 0xad, 0xad }, { 0x600, 0x605 }, { 0x61c, 0x61c },
  { 0x6dd, 0x6dd }, { 0x70f, 0x70f }, { 0x1680, 0x1680 }, { 0x180e, 0x180e }, { 0x2000, 0x200f },
  { 0x2028, 0x202f }, { 0x205f, 0x206f }, { 0x3000, 0x3000 }, { 0xe000, 0xf8ff },
  { 0xfeff, 0xfeff }, { 0xfff0, 0xfffb }, { 0xfffe, 0xffff }, { 0xe0000, 0x10ffff } }

local function is_hidden(code)
  for _, range in ipairs(HIDDEN) do
    if code >= range[1] and code <= range[2] then return true end
  end
  return false
end

local function escape_beyond(character)
  local code = characters.decode(character)
  if not is_hidden(code) then return character end
  if code < 0x100 then return ("\\x%02x"):format(code) end
  return (code < 0x10000 and "\\u%04x" or "\\U%08x"):format(code)
end

local NAMED = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\\"] = "\\\\" }

local function quoted(text)
  local quote = text:find("'", 1, true) and not text:find('"', 1, true) and '"' or "'"
  text = text:gsub("[%z\1-\31\127\\]", function(c)
    return NAMED[c] or ("\\x%02x"):format(c:byte())
  end)
  if quote == "'" then text = text:gsub("'", "\\'") end
  return quote .. text:gsub("[\194-\244][\128-\191]+", escape_beyond) .. quote
end

local REPRESENTATIONS = {
  str = quoted,
  bool = function(value) return value and "True" or "False" end,
  int = function(value) return ("%.0f"):format(value) end,
  float = function(value) return M.float(value.value) end,
  none = function() return "None" end,
  undefined = function() return "Undefined" end,
}

local function join_representations(list, meter)
  local parts, bytes = {}, 0
  for i, item in ipairs(list) do
    parts[i] = M.repr(item, meter)
    bytes = bytes + #parts[i]
    meter:text(bytes)
  end
  return table.concat(parts, ", ")
end

function REPRESENTATIONS.list(value, meter)
  return "[" .. join_representations(value, meter) .. "]"
end

function REPRESENTATIONS.range(value)
  return ("range(%d, %d%s)"):format(value.first, value.last,
    value.step ~= 1 and ", " .. value.step or "")
end

function REPRESENTATIONS.view(value, meter)
  return value.name .. "([" .. join_representations(value, meter) .. "])"
end

function REPRESENTATIONS.markup(value)
  return "Markup(" .. quoted(value.text) .. ")"
end

function REPRESENTATIONS.tuple(value, meter)
  return "(" .. join_representations(value, meter) .. (#value == 1 and ",)" or ")")
end

function REPRESENTATIONS.dict(value, meter)
  local parts, bytes = {}, 0
  for i, key in ipairs(value.order) do
    parts[i] = M.repr(key, meter) .. ": " .. M.repr(values.get(value, key), meter)
    bytes = bytes + #parts[i]
    meter:text(bytes)
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end

--- repr(value)
---@param value any
---@param meter table
---@return string
function M.repr(value, meter)
  meter:step()
  local kind = values.kind(value)
  local of = REPRESENTATIONS[kind]
  if of then return of(value, meter) end
  if kind == "function" and value.shown then return value.shown end
  limits.fail(("a %s cannot be printed"):format(kind), nil, "unsupported")
end

--- str(value): what `{{ value }}` writes.
function M.str(value, meter)
  if type(value) == "string" then return value end
  local kind = values.kind(value)
  if kind == "undefined" then return "" end
  if kind == "markup" then return value.text end
  return M.repr(value, meter)
end

-- JSON -------------------------------------------------------------------------------------------

local JSON_NAMED = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
  ["\b"] = "\\b", ["\f"] = "\\f" }

local function utf16(character)
  local code = characters.decode(character)
  if code < 0x10000 then return ("\\u%04x"):format(code) end
  code = code - 0x10000
  return ("\\u%04x\\u%04x"):format(0xd800 + math.floor(code / 1024), 0xdc00 + code % 1024)
end

local function json_text(text, o)
  text = text:gsub('[%z\1-\31"\\]', function(c)
    return JSON_NAMED[c] or ("\\u%04x"):format(c:byte())
  end)
  if o.ascii then text = text:gsub("[\194-\244][\128-\191]+", utf16):gsub("\127", "\127") end
  return '"' .. text .. '"'
end

local NOT_FINITE = { nan = "NaN", inf = "Infinity", ["-inf"] = "-Infinity" }
local LEAVES = {
  str = json_text,
  bool = function(value) return value and "true" or "false" end,
  int = function(value) return ("%.0f"):format(value) end,
  none = function() return "null" end,
  float = function(value)
    local text = M.float(value.value)
    return NOT_FINITE[text] or text
  end,
}

local function refuse(value, what)
  limits.fail(("%s of type %s is not JSON serializable"):format(what, values.type_name(value)))
end

local function json_key(key, o)
  local kind = values.kind(key)
  if kind == "str" then return json_text(key, o) end
  if kind == "tuple" or not LEAVES[kind] then refuse(key, "a key") end
  return '"' .. LEAVES[kind](key) .. '"'
end

local dump

-- Brackets around items, each on a line of its own when there is an indent.
local function enclosed(open, items, close, o, depth)
  if #items == 0 then return open .. close end
  if not o.indent then return open .. table.concat(items, o.item) .. close end
  local line = "\n" .. o.indent:rep(depth + 1)
  return open .. line .. table.concat(items, o.item .. line) .. "\n" .. o.indent:rep(depth) .. close
end

local function dump_dict(value, o, depth)
  local keys, items = value.order, {}
  if o.sort then
    keys = {}
    for i, key in ipairs(value.order) do keys[i] = key end
    table.sort(keys, values.less)
  end
  for i, key in ipairs(keys) do
    items[i] = json_key(key, o) .. o.key .. dump(values.get(value, key), o, depth + 1)
  end
  return enclosed("{", items, "}", o, depth)
end

function dump(value, o, depth)
  local kind = values.kind(value)
  o.meter:step()
  if depth > limits.DEPTH then limits.fail(("nested deeper than %d"):format(limits.DEPTH)) end
  local text
  if LEAVES[kind] then
    text = LEAVES[kind](value, o)
  elseif kind == "dict" then
    text = dump_dict(value, o, depth)
  elseif kind == "list" or kind == "tuple" then
    local items = {}
    for i, item in ipairs(value) do items[i] = dump(item, o, depth + 1) end
    text = enclosed("[", items, "]", o, depth)
  else
    refuse(value, "an object")
  end
  o.meter:text(#text)
  return text
end

--- json.dumps(value)
---@param value any
---@param o { ascii?: boolean, indent?: string, item: string, key: string, sort?: boolean,
---  meter: table } item and key are the separators
---@return string
function M.json(value, o)
  return dump(value, o, 0)
end

return M
