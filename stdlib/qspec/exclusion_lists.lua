-- Modules that are to be left in full precision, as each library is told so. What the syntax of a
-- library is, its format says in `exclude`; here is what several share.

local exclusions = require "qspec.exclusions"
local json = require "host.json"
local registry = require "qspec.registry"

local M = {}

---@class qspec.ExclusionList
---@field text string as it is written where the library is called
---@field config table<string, any>|nil the same as fields of quantization_config, where it has any
---@field note string|nil what it does beside

--- A list of texts as Python and JSON have it.
---@param list string[]
---@return string
function M.quoted(list)
  local parts = {}
  for i, text in ipairs(list) do parts[i] = json.encode(text) end
  return "[" .. table.concat(parts, ", ") .. "]"
end

--- A name as a regular expression that matches it alone.
function M.escaped(name)
  return (name:gsub("[^%w_]", "\\%0"))
end

local function set_of(list)
  local set = {}
  for _, item in ipairs(list) do set[item] = true end
  return set
end

-- transformers takes a key as the beginning of a name: one that begins another is closed.
local function closed(name, subject, wanted)
  local matches = exclusions.matcher(name)
  for _, module in ipairs(subject.modules) do
    if not wanted[module.name] and module.kind == "linear" and matches(module.name) then
      return name .. "(\\.|$)"
    end
  end
  return name
end

-- Of the keys that transformers takes when none are given, those that protect a linear module.
local function defaults(subject)
  local keys = {}
  for _, key in ipairs(exclusions.default_keys(subject.architecture, subject.modules)) do
    local matches, protects = exclusions.matcher(key), false
    for _, module in ipairs(subject.modules) do
      protects = protects or module.kind == "linear" and matches(module.name)
    end
    if protects then keys[#keys + 1] = key end
  end
  return keys
end

-- What the list must keep: a list of one's own replaces the defaults, the head among them.
local function kept(subject, is_own, key)
  local listed = is_own and subject.quantization_values[key]
  return type(listed) == "table" and listed or defaults(subject)
end

--- Names behind those that are left out already.
---@param names string[]
---@param before string[]
---@return string[]
function M.joined(names, before)
  local all, there = { unpack(before) }, set_of(before)
  for _, name in ipairs(names) do
    if not there[name] then all[#all + 1] = name end
    there[name] = true
  end
  return all
end

--- `exclude` of a format whose config has a list of modules, read as transformers reads it.
---@param key string the field
---@return fun(names: string[], subject: table, is_own: boolean): qspec.ExclusionList
function M.field(key)
  return function(names, subject, is_own)
    local wanted, keys = set_of(names), {}
    for i, name in ipairs(names) do keys[i] = closed(name, subject, wanted) end
    local list = M.joined(keys, kept(subject, is_own, key))
    return { text = key .. "=" .. M.quoted(list), config = { [key] = json.array(list) } }
  end
end

--- Of all formats that can be told, the subject's own first; those that say the same together.
---@param names string[] modules
---@param subject table
---@return {formats: string[], text: string, note: string|nil}[]
function M.of(names, subject)
  local lists, by_text = {}, {}
  local function add(format)
    local list = format.exclude and format.exclude(names, subject, format == subject.format)
    if not list then return end
    local known = by_text[list.text]
    if known then
      known.formats[#known.formats + 1] = format.name
    else
      by_text[list.text] = { formats = { format.name }, text = list.text, note = list.note }
      lists[#lists + 1] = by_text[list.text]
    end
  end
  if subject.format then add(subject.format) end
  for _, format in ipairs(registry("formats").all()) do
    if format ~= subject.format then add(format) end
  end
  return lists
end

return M
