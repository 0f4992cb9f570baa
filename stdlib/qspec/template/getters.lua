-- Values of items by attribute, as filters take it. Source: Jinja 3.1, filters.py.

local arguments = require "qspec.template.arguments"
local case = require "qspec.template.case"
local values = require "qspec.template.values"

local given, flag = arguments.given, arguments.flag

local M = {}

--- What looks an attribute up: names with dots between, digits are places.
function M.of(engine, attribute, otherwise)
  attribute = given(attribute)
  if attribute == nil then return function(item) return item end end
  local parts = { attribute }
  if type(attribute) == "string" then
    parts = {}
    for part in (attribute .. "."):gmatch("([^.]*)%.") do
      parts[#parts + 1] = part:find("^%d+$") and tonumber(part) or part
    end
  end
  return function(item)
    for _, part in ipairs(parts) do
      item = engine:item(item, part)
      if otherwise ~= nil and values.kind(item) == "undefined" then item = otherwise end
    end
    return item
  end
end

--- Texts are ordered without regard to case unless asked.
function M.key(engine, attribute, case_sensitive)
  local get = M.of(engine, attribute)
  if flag(case_sensitive) then return get end
  return function(item)
    local value = get(item)
    return type(value) == "string" and case.lower(value) or value
  end
end

return M
