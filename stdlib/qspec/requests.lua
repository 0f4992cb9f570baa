-- What a config asks of each module: to be converted, or to be left alone, and why.
--
-- A format whose config says it another way than by a list of modules to skip has its own
-- `requests` (formats with targets, rules by name, or experts only).

local exclusions = require "qspec.exclusions"

local M = {}

---@class qspec.Request
---@field layout table the layout that the converted weight has
---@field bits number
---@field type string the logical dtype: "nf4", "int4"
---@field class string transformers' class of the converted module
---@field scheme table as the layout's `tensors` takes it
---@field group_size integer|nil

---@class qspec.Requests
---@field exclusions qspec.Exclusion[] in force
---@field judged boolean whether the config says which modules are packed
---@field of fun(module: table): qspec.Request|nil, string|nil the request, or nil and the reason
---@field dtype_of (fun(module: table): string|nil)|nil the dtype in which the converted model holds
--- the dense parameters of a module, where it is not the model's

local function nothing()
  return nil, nil
end

--- Requests of a config that asks for all modules of some classes, but for a list of exclusions.
---@param model table {architecture, modules, format, requested}
---@param skip string[]|nil the config's list
---@param request_of fun(module: table): qspec.Request
---@return qspec.Requests
function M.by_exclusion(model, skip, request_of)
  local format = model.format
  local in_force = exclusions.in_force(model.architecture, model.modules, skip)
  local function of(module)
    if not format.converts(module) then
      local is_weight = module.kind == "linear" or module.kind == "experts"
      local what = module.expert and "experts" or "a module of class " .. module.class
      return nil, is_weight and ("%s never converts %s"):format(format.name, what) or nil
    end
    local exclusion = exclusions.find(in_force, module.name)
    if exclusion then
      return nil, ("excluded by '%s' (%s)"):format(exclusion.key, exclusion.source)
    end
    return request_of(module)
  end
  return { exclusions = in_force, judged = true, of = of }
end

--- Of a config that asks for nothing that could be told module by module.
---@param model table {architecture, modules}
---@param skip string[]|nil
---@return qspec.Requests
function M.unjudged(model, skip)
  return { exclusions = exclusions.in_force(model.architecture, model.modules, skip),
    judged = false, of = nothing }
end

--- Reads a config's request for the modules of a model.
---@param model table {architecture, modules, format: table|false, requested: table|false, values,
---  checkpoint?}
---@return qspec.Requests
function M.read(model)
  local format, requested = model.format, model.requested
  if format and format.requests then return format.requests(model) end
  if not (requested and requested.layout) then
    return M.unjudged(model, requested and requested.skip or nil)
  end
  return M.by_exclusion(model, requested.skip, function() return requested end)
end

return M
