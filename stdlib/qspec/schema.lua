-- Declared parameters: what a spec verb or a check takes, checked when the spec is read.
--
--   params = {
--     min_sqnr_db = { type = "number", default = 18, help = "lowest accepted SQNR" },
--     ratio       = { type = { "number", "list" }, help = "one number or {lowest, highest}" },
--     [1]         = { list_of = "string", required = true, help = "name patterns" },
--   }

local nearest = require "qspec.nearest"
local outcome = require "qspec.outcome"

local M = {}

---@class qspec.Param
---@field type string|string[]? a type of Lua, "integer", "list", "any", or several of them
---@field list_of string|string[]? the type of each entry of a list
---@field default any
---@field allowed any[]?
---@field required boolean?
---@field help string?
---@field check (fun(value: any): string?)? gives the reason to refuse a value

local function is_list(value)
  if type(value) ~= "table" then
    return false
  end
  local count = 0
  for _ in pairs(value) do
    count = count + 1
  end
  return count == #value
end

local IS = {
  any = function() return true end,
  list = is_list,
  number = function(value) return type(value) == "number" and value == value end,
  integer = function(value)
    return type(value) == "number" and value % 1 == 0 and math.abs(value) <= 2 ^ 53
  end,
}
for _, name in ipairs({ "string", "boolean", "table", "function", "userdata" }) do
  IS[name] = function(value) return type(value) == name end
end

local function is_one_of(value, types)
  for _, name in ipairs(types) do
    if not IS[name] then
      error("schema has the type '" .. tostring(name) .. "', which does not exist", 0)
    end
    if IS[name](value) then
      return true
    end
  end
  return false
end

local function as_list(value)
  return type(value) == "table" and value or { value }
end

---A value the way an error shows it.
---@param value any
---@return string
function M.show(value)
  if type(value) == "string" then
    local short = #value > 60 and value:sub(1, 57) .. "..." or value
    return "'" .. short:gsub("%c", "?") .. "'"
  elseif type(value) == "number" then
    return string.format("%.14g", value)
  elseif type(value) == "boolean" then
    return tostring(value)
  end
  return "a " .. type(value)
end

local function show_all(values, separator)
  local shown = {}
  for i, value in ipairs(values) do
    shown[i] = type(value) == "string" and value or M.show(value)
  end
  return table.concat(shown, separator)
end

local function refuse(context, message, hint)
  error(outcome.error("spec", context.what .. " " .. message, hint, context.where), 0)
end

local function check_type(context, label, value, types)
  if not is_one_of(value, as_list(types)) then
    local wanted = show_all(as_list(types), " or ")
    refuse(context, "has " .. label .. " = " .. M.show(value) .. ", wanted " .. wanted)
  end
end

local function check_allowed(context, label, value, allowed)
  for _, one in ipairs(allowed) do
    if one == value then
      return
    end
  end
  local meant = type(value) == "string" and nearest(value, allowed)
  refuse(context, "has " .. label .. " = " .. M.show(value) .. ", wanted one of "
    .. show_all(allowed, ", "), meant and "did you mean '" .. meant .. "'?")
end

local function check_entries(context, label, list, param)
  for i, entry in ipairs(list) do
    local entry_label = label .. "[" .. i .. "]"
    check_type(context, entry_label, entry, param.list_of)
    if param.allowed then
      check_allowed(context, entry_label, entry, param.allowed)
    end
  end
end

local function check_value(context, label, value, param)
  local is_entry_list = param.list_of and is_list(value)
  if not is_entry_list then
    check_type(context, label, value, param.type or (param.list_of and "list") or "any")
  end
  if is_entry_list then
    check_entries(context, label, value, param)
  elseif param.allowed then
    check_allowed(context, label, value, param.allowed)
  end
  local reason = param.check and param.check(value)
  if reason then
    refuse(context, "has " .. label .. " = " .. M.show(value) .. ": " .. reason)
  end
end

local function copy(value)
  if type(value) ~= "table" or getmetatable(value) ~= nil then
    return value
  end
  local result = {}
  for key, inner in pairs(value) do
    result[key] = copy(inner)
  end
  return result
end

local function named_keys(declaration)
  local keys = {}
  for key in pairs(declaration) do
    if type(key) == "string" then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys)
  return keys
end

local function refuse_unknown(context, declaration, key)
  local keys = named_keys(declaration)
  local allowed = #keys == 0 and "it takes no named values" or "it takes " .. show_all(keys, ", ")
  local meant = type(key) == "string" and nearest(key, keys)
  local hint = meant and "did you mean '" .. meant .. "'? " .. allowed or allowed
  refuse(context, "has an unknown key " .. M.show(key), hint)
end

local function positional_of(context, declaration, values)
  local list, named = {}, {}
  for key, value in pairs(values) do
    if type(key) == "number" and declaration[1] then
      list[key] = value
    elseif type(key) == "number" then
      refuse(context, "has " .. M.show(value) .. " without a name", "it takes "
        .. show_all(named_keys(declaration), ", "))
    else
      named[key] = value
    end
  end
  if not is_list(list) then
    refuse(context, "has a hole in its list of unnamed values", "one of them is nil")
  end
  return list, named
end

local function check_positional(context, param, list)
  if param.required and #list == 0 then
    refuse(context, "has no " .. (param.name or "unnamed value"), param.help)
  end
  if param.list_of then
    return check_value(context, param.name or "", list, param)
  end
  if #list > 1 then
    refuse(context, "has " .. #list .. " unnamed values, wanted 1")
  elseif #list == 1 then
    check_value(context, param.name or "[1]", list[1], param)
  end
end

---The values with defaults filled in; `values` itself is not changed. Raises an error of kind
---"spec" that names the key, what was found and what was wanted.
---@param declaration table<string|integer, qspec.Param>? [1] declares the unnamed values
---@param values table
---@param what string how an error calls the thing, as in "check 'memory'"
---@param where string? file:line
---@return table
function M.check(declaration, values, what, where)
  declaration = declaration or {}
  local context = { what = what, where = where }
  local list, named = positional_of(context, declaration, values)
  local result = {}
  for key, value in pairs(named) do
    if type(key) ~= "string" or not declaration[key] then
      refuse_unknown(context, declaration, key)
    end
    check_value(context, key, value, declaration[key])
    result[key] = value
  end
  for _, key in ipairs(named_keys(declaration)) do
    local param = declaration[key]
    if result[key] == nil and param.required then
      refuse(context, "has no '" .. key .. "'", param.help)
    elseif result[key] == nil then
      result[key] = copy(param.default)
    end
  end
  if declaration[1] then
    check_positional(context, declaration[1], list)
    for i, value in ipairs(list) do
      result[i] = value
    end
  end
  return result
end

return M
