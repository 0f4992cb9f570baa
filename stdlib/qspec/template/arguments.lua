-- Arguments of a call bound to parameters.

local limits = require "qspec.template.limits"
local values = require "qspec.template.values"

local M = {}

--- Named arguments, in the order of the call.
---@return table
function M.named()
  return { order = {}, values = {} }
end

function M.put(named, name, value)
  if named.values[name] == nil then named.order[#named.order + 1] = name end
  named.values[name] = value
end

local function place_of(parameters, name)
  for i, parameter in ipairs(parameters) do
    if parameter == name then return i end
  end
end

--- The arguments by the names of the parameters.
---@param what string names the function in errors
---@param parameters string[] the first `required` of them must be given
---@param required integer
---@param positional any[]
---@param named table
---@return table<string, any>
function M.bind(what, parameters, required, positional, named)
  local bound = {}
  if #positional > #parameters then
    limits.fail(("%s takes at most %d arguments, %d given"):format(what, #parameters, #positional))
  end
  for i, value in ipairs(positional) do bound[parameters[i]] = value end
  for _, name in ipairs(named.order) do
    if not place_of(parameters, name) then
      limits.fail(("%s takes no argument '%s'"):format(what, name))
    elseif bound[name] ~= nil then
      limits.fail(("%s got two values for '%s'"):format(what, name))
    end
    bound[name] = named.values[name]
  end
  for i = 1, required do
    if bound[parameters[i]] == nil then
      limits.fail(("%s lacks its argument '%s'"):format(what, parameters[i]))
    end
  end
  return bound
end

--- A whole number; `otherwise` when none is given.
function M.integer(value, otherwise, what)
  if value == nil then return otherwise end
  local kind = values.kind(value)
  if kind == "int" or kind == "bool" then return values.number(value) end
  limits.fail(("%s wants a whole number, not %s"):format(what, values.type_name(value)))
end

--- A text; `otherwise` when none is given.
function M.text(value, otherwise, what)
  if value == nil or otherwise == nil and value == values.none then return otherwise end
  if type(value) == "string" then return value end
  values.refuse_markup(value)
  limits.fail(("%s wants a text, not %s"):format(what, values.type_name(value)))
end

--- The value, nil for none.
function M.given(value)
  if value == values.none then return nil end
  return value
end

--- Whether a value is given and true.
function M.flag(value)
  return value ~= nil and values.truth(value)
end

return M
