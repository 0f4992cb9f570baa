-- quantization_config, read by the field table of its format and written back.
--
-- transformers drops the keys that it does not know and fills in the ones that are missing. Both
-- are reported, against the raw JSON and not against the parsed object.

local json = require "host.json"
local registry = require "qspec.registry"
local nearest = require "qspec.nearest"

local M = {}

--- The format that a quant_method belongs to.
---@return table|nil format, string|nil nearest method name
function M.format_of(method)
  local all = registry("formats")
  local namesake = all.has(method) and all.get(method)  -- loads one file, not all of them
  if namesake and namesake.methods[1] == method then return namesake end
  local methods = {}
  for _, format in ipairs(registry("formats").all()) do
    for _, name in ipairs(format.methods or {}) do
      if name == method then return format end
      methods[#methods + 1] = name
    end
  end
  return nil, nearest(tostring(method), methods)
end

--- The quant_method of a raw config; older bitsandbytes files leave it out and set a load flag,
--- and there are formats that know their config without one.
function M.method(raw)
  if type(raw.quant_method) == "string" then return raw.quant_method end
  if raw.load_in_4bit ~= nil or raw.load_in_8bit ~= nil then return "bitsandbytes" end
  for _, format in ipairs(registry("formats").all()) do
    if format.recognizes and format.recognizes(raw) then return format.methods[1] end
  end
end

local function by_name(fields)
  local map = {}
  for _, field in ipairs(fields) do map[field.name] = field end
  return map
end

local function is_list_of_strings(value, kind)
  if not json.is_array(value) then return false end
  for i = 1, #value do
    if kind[i] ~= "string" then return false end
  end
  return true
end

-- A list with an entry of another type is a type problem; nothing may be computed from it.
local function is_usable_list(value)
  if type(value) ~= "table" then return false end
  for _, entry in ipairs(value) do
    if type(entry) ~= "string" then return false end
  end
  return true
end

local function kind_name(kind)
  return type(kind) == "table" and (json.is_array(kind) and "array" or "object") or tostring(kind)
end

local function allowed_text(field)
  local words = {}
  for i, value in ipairs(field.allowed) do words[i] = tostring(value) end
  return table.concat(words, ", ")
end

local function is_of_type(wanted, value, kind)
  local name = kind_name(kind)
  if wanted == "any" then return true end
  if wanted == "strings" then return is_list_of_strings(value, kind) end
  if wanted == "number" then return name == "integer" or name == "float" end
  return name == wanted
end

local function is_allowed(field, value)
  for _, allowed in ipairs(field.allowed) do
    if allowed == value then return true end
  end
  return false
end

-- Why `value` cannot be this field's, or nil.
local function misfit(field, value, kind)
  if value == json.null then return not field.nullable and "null" or nil end
  local types = type(field.type) == "table" and field.type or { field.type }
  local fits = false
  for _, wanted in ipairs(types) do fits = fits or is_of_type(wanted, value, kind) end
  if not fits then
    local is_plain = type(kind) ~= "table"
    return kind_name(kind) .. (is_plain and " " .. tostring(value) or "")
  end
  if field.allowed and not is_allowed(field, value) then return "'" .. tostring(value) .. "'" end
end

local function type_text(wanted)
  return wanted == "strings" and "list of strings" or wanted
end

local function wanted_text(field)
  if field.allowed then return "one of " .. allowed_text(field) end
  local types = type(field.type) == "table" and field.type or { field.type }
  local words = {}
  for i, wanted in ipairs(types) do words[i] = type_text(wanted) end
  if field.nullable then words[#words + 1] = "null" end
  return table.concat(words, " or ")
end

--- Every field that has the wrong type or a value that is not allowed.
---@param format table
---@param raw table quantization_config as decoded
---@param kinds table its leaf kinds, from json.kinds
---@return table[] problems {key, found, wanted, hint?}
function M.type_problems(format, raw, kinds)
  local problems = {}
  for _, field in ipairs(format.fields) do
    local value = raw[field.name]
    local found = value ~= nil and misfit(field, value, kinds[field.name])
    if found then
      problems[#problems + 1] = { key = "quantization_config." .. field.name, found = found,
        wanted = wanted_text(field),
        hint = field.type == "float" and "transformers refuses a whole number here" or nil }
    end
  end
  return problems
end

--- Aliases that disagree with the field that they stand for.
function M.alias_problems(format, raw)
  local problems = {}
  for _, field in ipairs(format.fields) do
    local meant = field.alias_of
    if meant and raw[field.name] ~= nil and raw[meant] ~= nil and raw[field.name] ~= raw[meant] then
      problems[#problems + 1] = { key = "quantization_config." .. field.name,
        found = tostring(raw[field.name]),
        wanted = ("%s, as %s says"):format(tostring(raw[meant]), meant),
        hint = "transformers reads " .. meant .. " and ignores the alias" }
    end
  end
  return problems
end

--- The values as transformers understands them: defaults filled in, nulls absent.
function M.read(format, raw)
  local values = {}
  for _, field in ipairs(format.fields) do
    local value = raw[field.name]
    if value == nil and field.alias_of == nil then value = field.default end
    if value == json.null or field.type == "strings" and not is_usable_list(value) then
      value = nil
    end
    values[field.name] = value
  end
  for _, field in ipairs(format.fields) do
    local meant = field.alias_of
    if meant and raw[meant] == nil and raw[field.name] ~= nil then
      values[meant] = raw[field.name]
    end
  end
  if format.normalize then format.normalize(values, raw) end
  return values
end

--- What transformers would write after reading `raw`. A class that keeps unknown keys keeps all of
--- its fields in the same way: an absent one stays absent.
function M.write(format, raw)
  local values, written = M.read(format, raw), {}
  for key, value in pairs(format.keeps_unknown_keys and raw or {}) do written[key] = value end
  for _, field in ipairs(format.fields) do
    local value = values[field.alias_of or field.name]
    if value == nil and field.nullable and not format.keeps_unknown_keys then value = json.null end
    if field.saved ~= false and value ~= nil then written[field.name] = value end
  end
  return written
end

--- Keys that the format does not declare: transformers drops them on save, unless the format says
--- that it keeps them.
---@return table[] {key, nearest?}
function M.unknown_keys(format, raw)
  if format.keeps_unknown_keys then return {} end
  local known, names, unknown = by_name(format.fields), {}, {}
  for name in pairs(known) do names[#names + 1] = name end
  for key in pairs(raw) do
    if not known[key] then unknown[#unknown + 1] = { key = key, nearest = nearest(key, names) } end
  end
  table.sort(unknown, function(a, b) return a.key < b.key end)
  return unknown
end

return M
