-- HQQ: half-quadratic quantization, as transformers 4 and hqq wrote it into safetensors.
--
-- Source: transformers 5.17, utils/quantization_config.py HqqConfig, integrations/hqq.py
-- (prepare_for_hqq_linear) and quantizers/quantizer_hqq.py; hqq 0.2.8.

local exclusion_lists = require "qspec.exclusion_lists"
local groups = require "qspec.layouts.hqq_groups"
local json = require "host.json"
local small_values = require "qspec.layouts.small_values"

local M = {
  name = "hqq",
  summary = "codes of 1 to 8 bits in groups, found by half-quadratic optimization",
  methods = { "hqq" },
  layouts = { groups },
  fallbacks = {
    "transformers 5.17 reads no HQQ tensor: it leaves nn.Linear with random weights, calls the "
      .. "model quantized, and lists the tensors as unexpected",
    "a linear tag that quant_config does not name stays dense as soon as it names any",
  },
}

M.fields = {
  { name = "quant_config", type = "object" },
  { name = "quant_method", type = "string", default = "hqq" },
  { name = "skip_modules", type = "strings", default = json.array { "lm_head" } },
}

-- The name of a linear without "model", "layers" and numbers: what HQQ's settings go by.
local function linear_tag(name)
  local parts = {}
  for part in name:gmatch("[^.]+") do
    if part ~= "model" and part ~= "layers" and not part:find("^%d+$") then
      parts[#parts + 1] = part
    end
  end
  return table.concat(parts, ".")
end

local BITS = { [1] = true, [2] = true, [3] = true, [4] = true, [8] = true }

local function request(settings)
  local params = type(settings) == "table" and settings.weight_quant_params
  if type(params) ~= "table" then return nil, "quant_config without weight_quant_params" end
  if not BITS[params.nbits] then
    return nil, ("nbits %s, wanted 1, 2, 3, 4 or 8"):format(tostring(params.nbits))
  end
  local group = params.group_size
  if group ~= nil and group ~= json.null and not small_values.is_count(group) then
    return nil, ("group_size %s"):format(tostring(group))
  end
  group = small_values.is_count(group) and group or nil
  return { bits = params.nbits, type = "uint" .. params.nbits, class = "Linear", layout = groups,
    group_size = group, scheme = { bits = params.nbits, group_size = group, channel_wise = true,
      axis = params.axis == 0 and 0 or 1 } }
end

local function is_single(settings)
  return type(settings) == "table" and settings.weight_quant_params ~= nil
end

--- What a config asks for in general.
function M.requested(q)
  local settings = q.quant_config
  if type(settings) ~= "table" then
    return { problem = "no quant_config", skip = q.skip_modules,
      hint = "transformers raises KeyError on it" }
  end
  if not is_single(settings) then
    local _, first = next(settings)
    settings = first
  end
  local found, reason = request(settings)
  if not found then return { problem = reason, skip = q.skip_modules } end
  found.skip = q.skip_modules
  return found
end

--- Its names have no number of a layer.
function M.exclude(names, subject, is_own)
  local tags = {}
  for i, name in ipairs(names) do tags[i] = linear_tag(name) end
  local before = is_own and subject.quantization_values.skip_modules
    or { linear_tag(subject.architecture.output) }
  local list = exclusion_lists.joined(tags, before)
  return { text = "skip_modules=" .. exclusion_lists.quoted(list),
    config = { skip_modules = list }, note = "in every layer: hqq names no single one" }
end

local function tag_exclusions(skip)
  local list = {}
  for _, key in ipairs(skip or {}) do
    list[#list + 1] = { key = key, source = "config",
      matches = function(name) return linear_tag(name) == key end }
  end
  return list
end

local function request_by_tag(model)
  local settings = model.values.quant_config
  if is_single(settings) then return function() return model.requested end end
  return function(tag)
    if settings[tag] == nil or settings[tag] == json.null then
      return nil, ("quant_config does not name '%s'"):format(tag)
    end
    return request(settings[tag])
  end
end

--- The request of each module: by the linear tag, compared whole.
function M.requests(model)
  local list = tag_exclusions(model.values.skip_modules)
  local asked = model.requested
  local of_tag = asked and asked.layout and request_by_tag(model)
  local function of(module)
    if not of_tag or module.class ~= "Linear" then return nil end
    local tag = linear_tag(module.name)
    for _, exclusion in ipairs(list) do
      if exclusion.key == tag then return nil, ("excluded by '%s' (config)"):format(tag) end
    end
    return of_tag(tag)
  end
  return { exclusions = list, judged = of_tag and true or false, of = of }
end

--- The tensors that transformers 5.17 does not read.
function M.silent(subject)
  local count, first = 0, nil
  for _, row in ipairs(subject.census.modules) do
    if row.layout == groups then count, first = count + 1, first or row.name end
  end
  if count == 0 then return {} end
  return { { module = first, key = "W_q",
    found = ("HQQ tensors of %d modules, which transformers 5.17 does not read"):format(count),
    wanted = "weights that the loader reads",
    hint = "it fills these weights with random values and calls the model quantized; hqq's own "
      .. "loader reads them" } }
end

return M
