-- Models that a test makes up: modules of its own and tensors of its own, no files.

local checkpoint = require "host.checkpoint"
local census = require "qspec.census"
local json = require "host.json"
local quantization_config = require "qspec.quantization_config"
local registry = require "qspec.registry"
local requests = require "qspec.requests"
local system = require "host.system"
local tensor = require "host.tensor"

local M = {}

local ANY_MODEL = system.home() .. "/tests/data/bloom-tiny-bnb-fp4"

--- A linear module as the decoder lists it.
---@param name string
---@param out integer
---@param ins integer
---@param bias boolean|nil
function M.linear(name, out, ins, bias)
  local parameters = { { name = "weight", shape = { out, ins } } }
  if bias then parameters[2] = { name = "bias", shape = { out } } end
  return { name = name, class = "Linear", kind = "linear", shape = { out, ins }, bias = bias
    or false, parameters = parameters }
end

--- Experts in one tensor, as the decoder lists them.
---@param class string|nil
function M.experts(name, count, out, ins, class)
  return { name = name, class = class or "Experts", kind = "experts", shape = { count, out, ins },
    bias = false, parameters = { { name = "weight", shape = { count, out, ins } } } }
end

local function empty_overlay()
  local overlay = checkpoint.open(ANY_MODEL):overlay()
  for _, entry in ipairs(overlay:tensors()) do overlay:drop(entry.name) end
  return overlay
end

local function formats_from(first)
  local list = { first or nil }
  for _, format in ipairs(registry("formats").all()) do
    if format ~= first then list[#list + 1] = format end
  end
  return list
end

--- A model of these modules.
---@param o table {modules, tensors: table<string, qspec.Tensor>, config?: text of a
---  quantization_config, raw?, dtype?, architecture?, checkpoint?: instead of the tensors}
---@return table {census, requests, requested, problems: of the config's types}
function M.take(o)
  local architecture = o.architecture or { name = "made", tied = {} }
  local raw, kinds = {}, {}
  if o.config then raw, kinds = json.decode(o.config, "config") end
  local format = o.config and quantization_config.format_of(quantization_config.method(raw))
    or false
  local values = format and quantization_config.read(format, raw)
  local requested = format and format.requested(values)
  local overlay = o.checkpoint or empty_overlay()
  for name, value in pairs(o.tensors or {}) do tensor.store(overlay, name, value) end
  local asked = requests.read { architecture = architecture, modules = o.modules, format = format,
    requested = requested, values = values, raw = o.raw or {} }
  return { requested = requested, requests = asked, checkpoint = overlay, format = format,
    quantization = raw, quantization_values = values,
    problems = format and quantization_config.type_problems(format, raw, kinds) or {},
    census = census.take { architecture = architecture, modules = o.modules, checkpoint = overlay,
      formats = formats_from(format), requests = asked, dtype = o.dtype or "bfloat16" } }
end

--- The facts of a census as texts.
function M.facts(taken)
  local facts = {}
  for i, fact in ipairs(taken.census.facts) do
    facts[i] = ("%s %s %s: %s, wanted %s"):format(fact.kind, fact.module or "-", fact.key or "-",
      fact.found, fact.wanted)
  end
  return facts
end

--- What a layout finds in the values of a module, as texts.
function M.value_problems(taken, name)
  local row, texts = taken.census.by_name[name], {}
  for i, problem in ipairs(row.layout.value_problems(row.weight)) do
    texts[i] = ("%s: %s, wanted %s"):format(problem.key, problem.found, problem.wanted)
  end
  return texts
end

--- Where the format's library would fall back in silence, as texts.
function M.silent(taken)
  local subject, texts = setmetatable({ has_weights = function() return true end },
    { __index = taken }), {}
  for i, finding in ipairs(taken.format.silent(subject)) do
    texts[i] = ("%s %s: %s, wanted %s"):format(finding.module or "-", finding.key or "-",
      finding.found, finding.wanted)
  end
  return texts
end

--- The decoded weight of a module.
function M.decoded(taken, name, dtype)
  return require("qspec.weights").read(taken.census.by_name[name], taken.checkpoint, dtype)
end

return M
