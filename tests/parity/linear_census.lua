-- For linear_census_parity.py: for each folder named on the command line, which holds a config.json
-- alone, writes qspec.json beside it: `asked`, the modules that the config asks to convert, and
-- `classes`, the class of each linear by name.

local json = require "host.json"
local outcome = require "qspec.outcome"
local Subject = require "qspec.subject"
local system = require "host.system"

local function asked(folder)
  local subject = Subject.new { name = folder, path = folder, config_only = true }
  local names, classes = {}, {}
  for _, module in ipairs(subject.modules) do
    if subject.requests.of(module) then names[#names + 1] = module.name end
    if module.kind == "linear" then classes[module.name] = module.class end
  end
  return { asked = json.array(names), classes = classes }
end

for _, folder in ipairs { ... } do
  local ok, result = pcall(asked, folder)
  if not ok then
    local err = outcome.from(result, "internal")
    result = { error = err.kind .. ": " .. err.message .. " " .. (err.hint or "") }
  end
  system.write_atomic(folder .. "/qspec.json", json.encode(result))
end
