-- What qspec reads from compressed-tensors configs: qspec lua tests/parity/ct_plans.lua CASES OUT
--
-- A line of CASES is {"config": {...}, "modules": [{name, class, kind, shape}]}; one of OUT is
-- {"problem": text} or {"requests": {name: "type strategy group"}, "written": {...}}.

local json = require "host.json"
local quantization_config = require "qspec.quantization_config"
local system = require "host.system"

local MOST_BYTES = 2 ^ 26

local function described(request)
  local scheme = request.scheme
  return ("%s %s %s %s"):format(request.type, scheme.strategy, tostring(scheme.group_size or
    scheme.block and table.concat(scheme.block, "x")), scheme.symmetric and "symmetric" or "zeros")
end

local function answer(line)
  local case = json.decode(line, "case")
  local format = quantization_config.format_of("compressed-tensors")
  local values = quantization_config.read(format, case.config)
  local requested = format.requested(values)
  local written = quantization_config.write(format, case.config)
  if requested.problem then return { problem = requested.problem, written = written } end
  local asked = format.requests { values = values, modules = case.modules, format = format,
    requested = requested, architecture = { name = "made", tied = {} } }
  local found = {}
  for _, module in ipairs(case.modules) do
    local request = asked.of(module)
    found[module.name] = request and described(request) or "dense"
  end
  return { requests = found, written = written }
end

local cases, out = ...
local lines = {}
for line in system.read(cases, MOST_BYTES):gmatch("[^\n]+") do
  local ok, result = pcall(answer, line)
  if not ok then
    result = { error = type(result) == "table" and result.message or tostring(result) }
  end
  lines[#lines + 1] = json.encode(result)
end
system.write_atomic(out, table.concat(lines, "\n") .. "\n")
