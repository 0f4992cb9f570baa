-- Looks at one checkpoint without a spec: the census, the footprint, and the findings of every
-- check that needs only headers.

local footprint = require "qspec.footprint"
local inspection_modules = require "qspec.inspection_modules"
local json = require "host.json"
local registry = require "qspec.registry"
local shapes = require "qspec.shapes"
local schema = require "qspec.schema"
local tier = require "qspec.tier"
local Context = require "qspec.context"
local Subject = require "qspec.subject"

local M = {}

local function run_header_checks(subject)
  local findings = {}
  for _, check in ipairs(registry("checks").all()) do
    local part = tier.parts(check)[1]
    if tier.rank(part.tier) <= tier.rank("header") then
      local params = schema.check(check.params or {}, {}, check.name)
      local ctx = Context.new { subject = subject, params = params }
      local ok, err = pcall(part.run, ctx)
      if not ok and not Context.is_skip(err) then error(err, 0) end
      for _, finding in ipairs(ctx.findings) do
        finding.check = check.name
        findings[#findings + 1] = finding
      end
    end
  end
  return findings
end

local function bits(bytes, elements)
  return elements > 0 and 8 * bytes / elements or 0
end

-- Parameters of the model as its architecture has them, and the bytes that hold them.
local function logical_counts(census)
  local elements, bytes = 0, 0
  for _, row in ipairs(census.modules) do
    if row.own_tensors then
      for _, parameter in ipairs(row.module.parameters) do
        elements = elements + shapes.count(parameter.shape)
      end
      bytes = bytes + row.stored
    end
  end
  return elements, bytes
end

--- Takes the inspection of a model folder.
---@param path string
---@param baseline_path string|nil
---@return table {subject, census, findings, footprint, parameters, bits_per_weight}
function M.take(path, baseline_path)
  local baseline = baseline_path and Subject.new { name = baseline_path, path = baseline_path }
  local subject = Subject.new { name = path, path = path, baseline = baseline }
  local census = subject.census
  local stored = 0
  for _, entry in ipairs(subject.entries) do stored = stored + entry.bytes end
  local elements, weight_bytes = logical_counts(census)
  local result = { subject = subject, census = census, findings = run_header_checks(subject),
    parameters = elements, bits_per_weight = bits(weight_bytes, elements),
    footprint = { transformers = footprint.of_census(census), stored = stored,
      note = footprint.note(census) } }
  local dense = baseline and footprint.of_census(baseline.census) or subject.dtype
    and footprint.of_config(subject.architecture, subject.modules, subject.dtype, function() end)
  if dense then
    result.footprint.baseline = dense
    result.footprint.ratio = dense / result.footprint.transformers
  end
  return result
end

local function finding_json(finding)
  return { check = finding.check, module = finding.module, key = finding.key,
    found = tostring(finding.found), wanted = tostring(finding.wanted), hint = finding.hint }
end

local function map(list, convert)
  local out = {}
  for i, value in ipairs(list) do out[i] = convert(value) end
  return json.array(out)
end

--- The inspection as the JSON contract has it (schema/inspect.json).
function M.to_json(result)
  local subject = result.subject
  return { schema = "qspec.inspect/1", path = subject.path,
    architecture = subject.architecture.name,
    method = subject.quantization and subject.quantization.quant_method
      or subject.format and subject.format.name or json.null,
    is_quantized = subject.quantization ~= false,
    footprint = result.footprint, parameters = result.parameters,
    bits_per_weight = result.bits_per_weight,
    quantization_config = subject.quantization or json.null,
    modules = inspection_modules.to_json(result.census),
    findings = map(result.findings, finding_json) }
end

return M
