-- VPTQ: vector post-training quantization, each layer with settings of its own.
--
-- Source: transformers 5.17, utils/quantization_config.py VptqConfig and VptqLayerConfig,
-- quantizers/quantizer_vptq.py and integrations/vptq.py.

local requests = require "qspec.requests"
local vectors = require "qspec.layouts.vptq_vectors"

local M = {
  name = "vptq",
  summary = "codebook vectors with residuals, each layer with settings of its own",
  methods = { "vptq" },
  layouts = { vectors },
  fallbacks = {
    "transformers 5.17 raises KeyError on any linear that is not at the top of the model",
    "a layer without settings of its own takes those of shared_layer_config, by the second part of "
      .. "its name",
  },
}

M.fields = {
  { name = "config_for_layers", type = "object", default = {} },
  { name = "enable_proxy_error", type = "boolean", default = false, allowed = { false } },
  { name = "modules_to_not_convert", type = "strings", nullable = true },
  { name = "quant_method", type = "string", default = "vptq" },
  { name = "shared_layer_config", type = "object", default = {} },
}

local function settings_of(q, name)
  local own = type(q.config_for_layers) == "table" and q.config_for_layers[name]
  local second = name:match("^[^.]+%.([^.]+)")
  local shared = type(q.shared_layer_config) == "table" and second
    and q.shared_layer_config[second]
  return vectors.settings(own or shared or nil)
end

--- What a config asks for in general.
function M.requested(q)
  local has_layers = type(q.config_for_layers) == "table" and next(q.config_for_layers) ~= nil
    or type(q.shared_layer_config) == "table" and next(q.shared_layer_config) ~= nil
  if not has_layers then
    return { problem = "no config_for_layers", skip = q.modules_to_not_convert,
      hint = "vptq cannot tell how a layer is stored" }
  end
  return { type = "vptq", class = vectors.class, layout = vectors, skip = q.modules_to_not_convert,
    scheme = {} }
end

function M.converts(module)
  return module.class == "Linear"
end

--- The request of each module.
function M.requests(model)
  local asked = model.requested
  if not (asked and asked.layout) then
    return requests.unjudged(model, asked and asked.skip or nil)
  end
  return requests.by_exclusion(model, asked.skip, function(module)
    local settings, reason = settings_of(model.values, module.name)
    if not settings then return nil, reason end
    return { type = "vptq", class = vectors.class, layout = vectors,
      scheme = { settings = settings } }
  end)
end

--- Settings of layers that the model does not have.
function M.silent(subject)
  local findings = {}
  local layers = subject.quantization_values.config_for_layers
  for name in pairs(type(layers) == "table" and layers or {}) do
    if not subject.census.by_name[name] then
      findings[#findings + 1] = { key = tostring(name), found = "settings of a layer",
        wanted = "a module of the model", hint = "transformers never looks them up" }
    end
  end
  table.sort(findings, function(a, b) return a.key < b.key end)
  return findings
end

return M
