-- AQLM: additive quantization with learned codebooks.
--
-- Source: transformers 5.17, utils/quantization_config.py AqlmConfig, quantizers/quantizer_aqlm.py
-- and integrations/aqlm.py: the list goes straight to should_convert_module, without the defaults.

local codebooks = require "qspec.layouts.aqlm_codebooks"
local exclusions = require "qspec.exclusions"
local json = require "host.json"
local requests = require "qspec.requests"
local small_values = require "qspec.layouts.small_values"

local M = {
  name = "aqlm",
  summary = "sums of codebook vectors (additive quantization)",
  methods = { "aqlm" },
  layouts = { codebooks },
  fallbacks = {
    "an entry of linear_weights_not_to_quantize that ends in '.weight' protects nothing: it is "
      .. "compared with names of modules",
    "there are no default exclusions: lm_head is replaced unless it is listed by its module's name",
  },
}

M.fields = {
  { name = "in_group_size", type = "integer", default = 8 },
  { name = "linear_weights_not_to_quantize", type = "strings", default = json.array {} },
  { name = "nbits_per_codebook", type = "integer", default = 16 },
  { name = "num_codebooks", type = "integer", default = 1 },
  { name = "out_group_size", type = "integer", default = 1 },
  { name = "quant_method", type = "string", default = "aqlm" },
}

local LIMITS = { in_group_size = 4096, out_group_size = 4096, num_codebooks = 64,
  nbits_per_codebook = 24 }

--- What a config asks for.
function M.requested(q)
  local skip = q.linear_weights_not_to_quantize or {}
  for _, field in ipairs { "in_group_size", "out_group_size", "num_codebooks",
      "nbits_per_codebook" } do
    if not small_values.is_count(q[field], LIMITS[field]) then
      return { problem = ("%s %s"):format(field, tostring(q[field])), skip = skip,
        hint = "aqlm wants a whole number above 0" }
    end
  end
  return { type = "aqlm", class = codebooks.class, layout = codebooks, skip = skip,
    scheme = { count = q.num_codebooks, code_bits = q.nbits_per_codebook,
      rows = q.out_group_size, columns = q.in_group_size } }
end

-- Lists name all that is dense, norms and embeddings too, by their parameters: dead entries for
-- modules that are never replaced do no harm, and count as alive.
local function compiled(model, skip)
  local list, harmless = exclusions.in_force({}, model.modules, skip), {}
  for _, module in ipairs(model.modules) do
    if module.class ~= "Linear" then harmless[module.name .. ".weight"] = module.name end
  end
  for _, exclusion in ipairs(list) do
    local matches, module = exclusion.matches, harmless[exclusion.key]
    exclusion.matches = function(name) return name == module or matches(name) end
  end
  return list
end

--- The request of each module.
function M.requests(model)
  local asked = model.requested
  if not (asked and asked.layout) then
    return requests.unjudged(model, asked and asked.skip or {})
  end
  local list = compiled(model, asked.skip)
  local function of(module)
    if module.class ~= "Linear" then return nil end
    local exclusion = exclusions.find(list, module.name)
    if exclusion then
      return nil, ("excluded by '%s' (%s)"):format(exclusion.key, exclusion.source)
    end
    return asked
  end
  return { exclusions = list, judged = true, of = of }
end

--- Entries that name a parameter where a module is meant.
function M.silent(subject)
  local findings = {}
  for _, key in ipairs(subject.quantization_values.linear_weights_not_to_quantize or {}) do
    local module = key:match("^(.*)%.weight$")
    local row = module and subject.census.by_name[module]
    if row and row.module.class == "Linear" then
      findings[#findings + 1] = { module = module, key = "linear_weights_not_to_quantize",
        found = ("'%s', which matches no module's name"):format(key),
        wanted = ("'%s'"):format(module),
        hint = "transformers replaces it all the same, and its weight is missing" }
    end
  end
  return findings
end

return M
