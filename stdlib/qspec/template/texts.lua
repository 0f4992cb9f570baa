-- Methods of texts, as Python's str has them.

local arguments = require "qspec.template.arguments"
local case = require "qspec.template.case"
local characters = require "qspec.template.characters"
local limits = require "qspec.template.limits"
local values = require "qspec.template.values"

local NONE = values.none

local function text_of(value, otherwise)
  return arguments.text(value, otherwise, "the method")
end

local function count_of(value, otherwise)
  return arguments.integer(value, otherwise, "the method")
end

-- Splitting --------------------------------------------------------------------------------------

local function split_spaces(text, most)
  local parts = values.list {}
  text = characters.strip_left(text)
  while text ~= "" do
    if most >= 0 and #parts == most then
      parts[#parts + 1] = characters.strip_right(text)
      break
    end
    local word = {}
    for character in text:gmatch("[%z\1-\127\194-\244][\128-\191]*") do
      if characters.is_space(character) then break end
      word[#word + 1] = character
    end
    parts[#parts + 1] = table.concat(word)
    text = characters.strip_left(text:sub(#parts[#parts] + 1))
  end
  return parts
end

local function reversed(list)
  local copy = values.list {}
  for i = #list, 1, -1 do copy[#copy + 1] = list[i] end
  return copy
end

local function find_last(text, part, last)
  for at = last - #part + 1, 1, -1 do
    if text:sub(at, at + #part - 1) == part then return at end
  end
end

local function split_right(text, separator, most)
  local parts, last = values.list {}, #text
  while most < 0 or #parts < most do
    local at = find_last(text, separator, last)
    if not at then break end
    parts[#parts + 1] = text:sub(at + #separator, last)
    last = at - 1
  end
  parts[#parts + 1] = text:sub(1, last)
  return reversed(parts)
end

local function split_left(text, separator, most)
  local parts, at = values.list {}, 1
  while most < 0 or #parts < most do
    local place = text:find(separator, at, true)
    if not place then break end
    parts[#parts + 1] = text:sub(at, place - 1)
    at = place + #separator
  end
  parts[#parts + 1] = text:sub(at)
  return parts
end

local function split_spaces_right(text, most)
  if most < 0 then return split_spaces(text, -1) end
  local mirrored = table.concat(reversed(characters.list(text)))
  local parts = reversed(split_spaces(mirrored, most))
  for i, part in ipairs(parts) do
    parts[i] = table.concat(reversed(characters.list(part)))
  end
  return parts
end

local function splitter(by_spaces, by_separator)
  return { params = { "sep", "maxsplit" }, keywords = true, run = function(text, o, meter)
    meter:text(#text)
    local separator, most = text_of(o.sep), count_of(o.maxsplit, -1)
    if not separator then return by_spaces(text, most) end
    if separator == "" then limits.fail("empty separator") end
    return by_separator(text, separator, most)
  end }
end

local LINE_ENDS = { ["\n"] = true, ["\r"] = true, ["\v"] = true, ["\f"] = true, ["\28"] = true,
  ["\29"] = true, ["\30"] = true, ["\194\133"] = true, ["\226\128\168"] = true,
  ["\226\128\169"] = true }

--- str.splitlines
---@param text string
---@param keep boolean
---@return any[]
local function split_lines(text, keep)
  local lines, line = values.list {}, {}
  local all = characters.list(text)
  local i = 1
  while i <= #all do
    local ended = all[i]
    if LINE_ENDS[ended] then
      if ended == "\r" and all[i + 1] == "\n" then ended, i = "\r\n", i + 1 end
      lines[#lines + 1] = table.concat(line) .. (keep and ended or "")
      line = {}
    else
      line[#line + 1] = ended
    end
    i = i + 1
  end
  if #line > 0 then lines[#lines + 1] = table.concat(line) end
  return lines
end

-- Texts ------------------------------------------------------------------------------------------

local function affix(fits)
  return { params = { "affix" }, required = 1, run = function(text, o)
    local wanted = values.kind(o.affix) == "tuple" and o.affix or { text_of(o.affix, "") }
    for _, one in ipairs(wanted) do
      if fits(text, text_of(one, "")) then return true end
    end
    return false
  end }
end

local function stripper(strip)
  return { params = { "chars" }, run = function(text, o) return strip(text, text_of(o.chars)) end }
end

local function finder(find, raises)
  return { params = { "part", "first", "last" }, required = 1, run = function(text, o, meter)
    meter:text(#text)
    local length = characters.length(text)
    local function bound(value, otherwise)
      if value == nil or value == NONE then return otherwise end
      local at = count_of(value)
      return math.min(math.max(at < 0 and at + length or at, 0), length)
    end
    local first = bound(o.first, 0)
    local part = characters.sub(text, first, bound(o.last, length))
    local at = find(part, text_of(o.part, ""))
    if at then return first + characters.index(part, at) end
    if raises then limits.fail("substring not found") end
    return -1
  end }
end

local function find_first(text, part) return (text:find(part, 1, true)) end
local function find_behind(text, part) return find_last(text, part, #text) end

local function replaced(text, old, new, most, meter)
  if old == "" then
    local all, parts = characters.list(text), {}
    for i = 1, #all + 1 do
      if most < 0 or i <= most then parts[#parts + 1] = new end
      parts[#parts + 1] = all[i]
    end
    return table.concat(parts)
  end
  local parts = split_left(text, old, most)
  meter:text(#text + #parts * #new)
  return table.concat(parts, new)
end

local function joined(separator, items, meter, convert)
  local parts, bytes = {}, 0
  for i, item in ipairs(items) do
    parts[i] = convert(item)
    bytes = bytes + #parts[i] + #separator
    meter:text(bytes)
  end
  return table.concat(parts, separator)
end

local function classified(pattern, what)
  return { params = {}, run = function(text)
    return case.ascii(text, what):find(pattern) ~= nil
  end }
end

local function cased(has, lacks)
  return { params = {}, run = function(text)
    case.ascii(text, "the case")
    return text:find(has) ~= nil and not text:find(lacks)
  end }
end

local function changed(change)
  return { params = {}, run = function(text) return change(text) end }
end

local function padded(place)
  return { params = { "width", "fill" }, required = 1, run = function(text, o, meter)
    local missing = count_of(o.width) - characters.length(text)
    local fill = text_of(o.fill, " ")
    if characters.length(fill) ~= 1 then limits.fail("the fill must be exactly one character") end
    if missing <= 0 then return text end
    meter:text(#text + missing * #fill)
    local left = place(missing, count_of(o.width))
    return fill:rep(left) .. text .. fill:rep(missing - left)
  end }
end

-- Where Python's center puts the odd one.
local function centered(missing, width)
  return math.floor(missing / 2) + (missing % 2 == 1 and width % 2 == 1 and 1 or 0)
end

local function partition(find)
  return { params = { "sep" }, required = 1, run = function(text, o)
    local separator = text_of(o.sep, "")
    if separator == "" then limits.fail("empty separator") end
    local at = find(text, separator)
    if at then
      return values.tuple { text:sub(1, at - 1), separator, text:sub(at + #separator) }
    end
    return values.tuple(find == find_first and { text, "", "" } or { "", "", text })
  end }
end

local STR = {
  split = splitter(split_spaces, split_left),
  rsplit = splitter(split_spaces_right, split_right),
  splitlines = { params = { "keepends" }, keywords = true, run = function(text, o, meter)
    meter:text(#text)
    return split_lines(text, o.keepends ~= nil and values.truth(o.keepends))
  end },
  strip = stripper(characters.strip),
  lstrip = stripper(characters.strip_left),
  rstrip = stripper(characters.strip_right),
  startswith = affix(function(text, part) return text:sub(1, #part) == part end),
  endswith = affix(function(text, part) return part == "" or text:sub(-#part) == part end),
  find = finder(find_first), rfind = finder(find_behind),
  index = finder(find_first, true), rindex = finder(find_behind, true),
  partition = partition(find_first), rpartition = partition(find_behind),
  upper = changed(case.upper), lower = changed(case.lower), title = changed(case.title),
  casefold = changed(case.lower), capitalize = changed(case.capitalize),
  swapcase = changed(case.swap),
  isdigit = classified("^%d+$", "isdigit"), isdecimal = classified("^%d+$", "isdecimal"),
  isnumeric = classified("^%d+$", "isnumeric"), isalpha = classified("^%a+$", "isalpha"),
  isalnum = classified("^%w+$", "isalnum"), isupper = cased("%u", "%l"),
  islower = cased("%l", "%u"),
  isspace = { params = {}, run = function(text)
    return text ~= "" and characters.strip(text) == ""
  end },
  ljust = padded(function() return 0 end),
  rjust = padded(function(missing) return missing end),
  center = padded(centered),
}

STR.replace = { params = { "old", "new", "count" }, required = 2, run = function(text, o, meter)
  return replaced(text, text_of(o.old, ""), text_of(o.new, ""), count_of(o.count, -1), meter)
end }

STR.count = { params = { "part" }, required = 1, run = function(text, o, meter)
  meter:text(#text)
  local part = text_of(o.part, "")
  if part == "" then return characters.length(text) + 1 end
  return #split_left(text, part, -1) - 1
end }

STR.join = { params = { "items" }, required = 1, run = function(text, o, meter)
  return joined(text, values.iterate(o.items), meter, function(item)
    if type(item) == "string" then return item end
    limits.fail(("join: expected str instance, %s found"):format(values.type_name(item)))
  end)
end }

STR.zfill = { params = { "width" }, required = 1, run = function(text, o, meter)
  local missing = count_of(o.width) - characters.length(text)
  if missing <= 0 then return text end
  meter:text(missing + #text)
  local sign, rest = text:match("^([-+]?)(.*)$")
  return sign .. ("0"):rep(missing) .. rest
end }

STR.removeprefix = { params = { "prefix" }, required = 1, run = function(text, o)
  local prefix = text_of(o.prefix, "")
  return text:sub(1, #prefix) == prefix and text:sub(#prefix + 1) or text
end }

STR.removesuffix = { params = { "suffix" }, required = 1, run = function(text, o)
  local suffix = text_of(o.suffix, "")
  return suffix ~= "" and text:sub(-#suffix) == suffix and text:sub(1, -#suffix - 1) or text
end }

--- `methods` by name: { params, required?, keywords?, run(text, arguments, meter) }.
return { methods = STR, split_lines = split_lines, joined = joined, replaced = replaced }
