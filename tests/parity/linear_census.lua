-- For linear_census_parity.py: for each folder named on the command line, which holds a config.json
-- alone, writes qspec.json beside it: `asked`, the modules that the config asks to convert, and
-- `modules`, all of them, and `bytes`, the footprint of the model in fp32.

local footprint = require "qspec.footprint"
local json = require "host.json"
local outcome = require "qspec.outcome"
local Subject = require "qspec.subject"
local system = require "host.system"

local function module_of(module)
  local parameters, buffers = {}, {}
  for _, parameter in ipairs(module.parameters) do
    parameters[parameter.name] = json.array(parameter.shape)
  end
  for _, buffer in ipairs(module.buffers or {}) do
    buffers[buffer.name] = json.array(buffer.shape)
  end
  return { name = module.name, class = module.class, kind = module.kind, parameters = parameters,
    buffers = buffers }
end

local function asked(folder)
  local subject = Subject.new { name = folder, path = folder, config_only = true }
  local names, modules = {}, {}
  for i, module in ipairs(subject.modules) do
    if subject.requests.of(module) then names[#names + 1] = module.name end
    modules[i] = module_of(module)
  end
  local bytes = footprint.of_config(subject.architecture, subject.modules, "float32",
    function() return nil end)
  return { asked = json.array(names), modules = modules, bytes = bytes }
end

for _, folder in ipairs { ... } do
  local ok, result = pcall(asked, folder)
  if not ok then
    local err = outcome.from(result, "internal")
    result = { error = err.kind .. ": " .. err.message .. " " .. (err.hint or "") }
  end
  system.write_atomic(folder .. "/qspec.json", json.encode(result))
end
