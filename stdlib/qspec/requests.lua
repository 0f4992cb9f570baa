-- What a config asks of each module: to be converted, or to be left alone, and why.

local exclusions = require "qspec.exclusions"

local M = {}

---@class qspec.Requests
---@field exclusions qspec.Exclusion[] in force
---@field of fun(module: table): table|nil, string|nil the request, or nil and the reason

--- Reads a config's request for a list of modules.
---@param architecture table
---@param modules table[]
---@param format table|false
---@param requested table|false what format.requested made of the config
---@return qspec.Requests
function M.read(architecture, modules, format, requested)
  local converts = requested and requested.layout
  local in_force = exclusions.in_force(architecture, modules, requested and requested.skip or nil)
  local function of(module)
    if not converts then return nil, nil end
    if not format.converts(module) then
      local reason = module.kind == "linear" and ("%s never converts a module of class %s"):format(
        format.name, module.class) or nil
      return nil, reason
    end
    local exclusion = exclusions.find(in_force, module.name)
    if exclusion then
      return nil, ("excluded by '%s' (%s)"):format(exclusion.key, exclusion.source)
    end
    return requested, nil
  end
  return { exclusions = in_force, of = of }
end

return M
