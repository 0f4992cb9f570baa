-- optimum-quanto: QLinear with int8, float8, int4 or int2 weights.
--
-- Source: transformers 5.17, utils/quantization_config.py QuantoConfig and integrations/quanto.py;
-- optimum-quanto 0.2.7, models/transformers_models.py. transformers does not save such a model;
-- optimum does, with quanto_qmap.json beside the weights and nothing in config.json.

local exclusion_lists = require "qspec.exclusion_lists"
local requests = require "qspec.requests"
local weight = require "qspec.layouts.quanto_weight"

local M = {
  name = "quanto",
  summary = "optimum-quanto's int8, float8, int4 and int2 weights",
  methods = { "quanto" },
  layouts = { weight },
  footprint_note = "quanto's tensors report the dtype that the weight had: to transformers the "
    .. "footprint is that of full precision, and a ratio of it means nothing; see stored_bytes",
  fallbacks = {
    "transformers does not load quanto's packed tensors: only optimum reads quanto_qmap.json",
    "a module that quanto_qmap.json does not name is loaded dense",
  },
}

local WEIGHTS = { "float8", "int8", "int4", "int2" }

--- How it is told to leave modules alone.
M.exclude = exclusion_lists.field "modules_to_not_convert"

M.fields = {
  { name = "activations", type = "string", nullable = true, allowed = { "int8", "float8" } },
  { name = "modules_to_not_convert", type = "strings", nullable = true },
  { name = "qmap", type = "object", saved = false, harmless = true },
  { name = "quant_method", type = "string", default = "quanto" },
  { name = "weights", type = "string", default = "int8", allowed = WEIGHTS },
}

local BITS = { float8 = 8, int8 = 8, int4 = 4, int2 = 2 }
local OF_QTYPE = { qint8 = "int8", qint4 = "int4", qint2 = "int2", qfloat8 = "float8",
  qfloat8_e4m3fn = "float8" }

local function request(weights)
  local bits = BITS[weights]
  if not bits then return nil end
  local type_name = weights == "float8" and "float8_e4m3" or weights
  return { bits = bits, type = type_name, class = weight.class, layout = weight,
    scheme = { bits = bits, type = type_name } }
end

--- What a config asks for in general.
function M.requested(q)
  local found = request(q.weights)
  if not found then
    return { problem = ("weights '%s'"):format(tostring(q.weights)),
      skip = q.modules_to_not_convert }
  end
  found.skip, found.qmap = q.modules_to_not_convert, q.qmap
  return found
end

function M.converts(module)
  return module.class == "Linear"
end

-- optimum's map names every module that it replaced.
local function by_map(map)
  local function of(module)
    local entry = map[module.name]
    local weights = type(entry) == "table" and OF_QTYPE[entry.weights]
    if not weights then return nil, "quanto_qmap.json does not name it" end
    local found = request(weights)
    found.scheme.by_map = true  -- optimum's scalars have the dtype of the weight, others float32
    return found
  end
  return { exclusions = {}, judged = true, of = of }
end

--- The request of each module.
function M.requests(model)
  local asked = model.requested
  if asked and type(asked.qmap) == "table" then return by_map(asked.qmap) end
  if not (asked and asked.layout) then
    return requests.unjudged(model, asked and asked.skip or nil)
  end
  return requests.by_exclusion(model, asked.skip, function() return asked end)
end

-- The weights that most modules have.
local function usual(map)
  local counts, best = {}, nil
  for _, entry in pairs(map) do
    local weights = type(entry) == "table" and OF_QTYPE[entry.weights]
    if weights then
      counts[weights] = (counts[weights] or 0) + 1
      if not best or counts[weights] > counts[best] then best = weights end
    end
  end
  return best
end

M.files = {
  ["quanto_qmap.json"] = function(raw, kinds)
    local weights = usual(raw)
    return { quant_method = "quanto", weights = weights, qmap = raw },
      { quant_method = "string", weights = weights and "string", qmap = kinds }
  end,
}

--- Modules of the map that the model does not have.
function M.silent(subject)
  local map, findings = subject.quantization_values.qmap, {}
  for name in pairs(type(map) == "table" and map or {}) do
    if not subject.census.by_name[name] then
      findings[#findings + 1] = { key = tostring(name), found = "in quanto_qmap.json",
        wanted = "a module of the model", hint = "optimum never replaces it" }
    end
  end
  table.sort(findings, function(a, b) return a.key < b.key end)
  return findings
end

return M
