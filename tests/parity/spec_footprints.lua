-- The footprints of the shipped specs' models whose configuration is written in the spec, as JSON:
-- what footprint_parity.py compares with transformers.

local footprint = require "qspec.footprint"
local json = require "host.json"
local spec = require "qspec.spec"
local system = require "host.system"
local Subject = require "qspec.subject"

local function entry_of(loaded, model)
  local subject = Subject.new { name = model.name, config = model.config,
    quantize = model.quantize }
  local function bytes(converted)
    return footprint.of_config(subject.architecture, subject.modules, subject.dtype, converted)
  end
  local count = 0
  local function request(module)
    local asked = subject.requests.of(module)
    if asked then count = count + 1 end
    return asked
  end
  local config = {}
  for key, value in pairs(model.config) do
    if key ~= "quantization_config" then config[key] = value end
  end
  return { spec = loaded.path:match("[^/]*$"), model = model.name, config = config,
    dense = bytes(function() end), quantized = bytes(request), converted = count,
    bits = model.quantize and model.quantize.options.bits or json.null }
end

local entries, folder = {}, system.home() .. "/specs/"
for _, file in ipairs(system.list(folder)) do
  local loaded = file:find("%.lua$") and spec.load(folder .. file)
  for _, model in ipairs(loaded and loaded.models or {}) do
    if model.config then entries[#entries + 1] = entry_of(loaded, model) end
  end
end
system.stdout(json.encode(json.array(entries)) .. "\n")
