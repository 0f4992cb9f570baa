-- Reads JSON lines of quantization_configs on a file and writes what qspec says transformers would
-- save of each: qspec lua tests/parity/write_config.lua CASES OUT
--
-- A line of OUT is {"written": {...}, "unknown": [...]} or {"error": "..."}.

local json = require "host.json"
local quantization_config = require "qspec.quantization_config"
local system = require "host.system"

local function answer(line)
  local raw = json.decode(line, "case")
  local format = quantization_config.format_of(quantization_config.method(raw))
  if not format then return { error = "no format" } end
  local unknown = {}
  for i, key in ipairs(quantization_config.unknown_keys(format, raw)) do unknown[i] = key.key end
  return { written = quantization_config.write(format, raw), unknown = json.array(unknown) }
end

local cases, out = ...
local lines = {}
for line in system.read(cases, 2 ^ 24):gmatch("[^\n]+") do
  local ok, result = pcall(answer, line)
  if not ok then
    result = { error = type(result) == "table" and result.message or tostring(result) }
  end
  lines[#lines + 1] = json.encode(result)
end
system.write_atomic(out, table.concat(lines, "\n") .. "\n")
