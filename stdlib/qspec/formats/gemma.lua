-- Gemma's quantized checkpoints: 2, 4 or 8 bits a row, module by module.
--
-- Source: transformers 5.17, utils/quantization_config.py GemmaQuantizationConfig,
-- quantizers/quantizer_gemma.py and integrations/gemma_quant.py (replace_with_quant_layers).

local json = require "host.json"
local requests = require "qspec.requests"
local rows = require "qspec.layouts.gemma_rows"

local M = {
  name = "gemma",
  summary = "Gemma's own rows of 2, 4 or 8 bits, module by module",
  methods = { "gemma" },
  layouts = { rows },
  fallbacks = {
    "a pattern of module_quant_configs that matches nothing leaves its modules at num_bits",
    "an activation scale of 0, or none, leaves the activations unquantized",
    "any num_bits but 2 and 4 is read as 8",
  },
}

M.fields = {
  { name = "module_quant_configs", type = "object", nullable = true },
  { name = "modules_to_not_convert", type = "strings", nullable = true },
  { name = "num_bits", type = "integer", default = 4, allowed = { 2, 4, 8 } },
  { name = "quant_method", type = "string", default = "gemma" },
  { name = "quantize_embeddings", type = "boolean", default = false },
}

local function request(bits)
  bits = (bits == 2 or bits == 4) and bits or 8
  return { bits = bits, type = "int" .. bits, class = rows.class, layout = rows,
    scheme = { bits = bits, blocks = 1 } }
end

--- What a config asks for in general.
function M.requested(q)
  local found = request(q.num_bits)
  found.skip = q.modules_to_not_convert
  found.embeddings = q.quantize_embeddings == true
  return found
end

-- Patterns match anywhere in the name (re.search), the first of the config's order.
local function overrides(q)
  local list = {}
  local configs = q.module_quant_configs
  for _, pattern in ipairs(type(configs) == "table" and json.keys(configs) or {}) do
    local compiled, regex = pcall(require("host.text").regex, ".*?(?:" .. pattern .. ")")
    local own = configs[pattern]
    list[#list + 1] = { pattern = pattern, bits = type(own) == "table" and own.num_bits or nil,
      matches = function(name) return compiled and regex:matches_start(name) end }
  end
  return list
end

local function bits_of(list, name, general)
  for _, override in ipairs(list) do
    if override.matches(name) then return override.bits or general end
  end
  return general
end

--- The request of each module.
function M.requests(model)
  local asked, q = model.requested, model.values
  local list = overrides(q)
  local format = { name = "gemma", converts = function(module)
    return module.class == "Linear" or asked.embeddings and module.kind == "embedding"
  end }
  return requests.by_exclusion({ architecture = model.architecture, modules = model.modules,
    format = format }, asked.skip, function(module)
      local found = request(bits_of(list, module.name, q.num_bits))
      if module.kind == "embedding" then found.class = "QuantizedEmbedding" end
      return found
    end)
end

--- Patterns that match nothing.
function M.silent(subject)
  local findings = {}
  for _, override in ipairs(overrides(subject.quantization_values)) do
    local is_alive = false
    for _, row in ipairs(subject.census.modules) do
      is_alive = is_alive or override.matches(row.name)
    end
    if not is_alive then
      findings[#findings + 1] = { key = override.pattern, found = "matches no module",
        wanted = "a module of module_quant_configs", hint = "a dead pattern: a typo?" }
    end
  end
  return findings
end

return M
