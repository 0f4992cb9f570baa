-- torchao: tensor subclasses in the place of weights, one config object for all or one a module.
--
-- Source: transformers 5.17, utils/quantization_config.py TorchAoConfig,
-- quantizers/quantizer_torchao.py and integrations/torchao.py; torchao 0.18.

local config_objects = require "qspec.layouts.torchao_config"
local exclusion_lists = require "qspec.exclusion_lists"
local exclusions = require "qspec.exclusions"
local json = require "host.json"
local metadata = require "qspec.layouts.torchao_metadata"
local requests = require "qspec.requests"
local weight = require "qspec.layouts.torchao_weight"

local M = {
  name = "torchao",
  summary = "torchao's int8, int4, intx and float8 tensors, one config or one a module",
  methods = { "torchao" },
  layouts = { weight },
  footprint_note = "torchao's tensors report the dtype that the weight had: to transformers the "
    .. "footprint is that of full precision, and a ratio of it means nothing; see stored_bytes",
  fallbacks = {
    "a module whose rule of FqnToConfig is null, or that no rule matches, stays dense in silence",
    "modules_to_not_convert is compared with the parameter's name: an entry that ends in the "
      .. "module's name protects nothing unless it matches from the start",
    "without torchao's metadata in the file, transformers takes only 'weight' for a packed "
      .. "parameter and refuses its parts",
  },
}

--- How it is told to leave modules alone.
M.exclude = exclusion_lists.field "modules_to_not_convert"

--- `quant_type` holds one object under "default".
M.fields = {
  { name = "include_input_output_embeddings", type = "boolean", default = false },
  { name = "modules_to_not_convert", type = "strings", nullable = true },
  { name = "quant_method", type = "string", default = "torchao" },
  { name = "quant_type", type = "object" },
  { name = "untie_embedding_weights", type = "boolean", default = false },
}

local function object_of(q)
  local quant_type = q.quant_type
  if type(quant_type) == "string" then
    return nil, ("quant_type is the text '%s'"):format(quant_type),
      "transformers 5 refuses such a config: it wants the config object of torchao as JSON"
  end
  local object = type(quant_type) == "table" and quant_type.default
  for key in pairs(type(quant_type) == "table" and quant_type or {}) do
    if key ~= "default" then object = nil end
  end
  if type(object) ~= "table" then
    return nil, "quant_type without its one key 'default'", "transformers refuses it"
  end
  return object
end

-- The most common request of a set of rules, for what is said of the whole model.
local function general(rules)
  local default = rules._default
  if default ~= nil and default ~= json.null then return config_objects.request(default) end
  for _, key in ipairs(json.keys(rules)) do
    local found = rules[key] ~= json.null and config_objects.request(rules[key])
    if found then return found end
  end
  return nil, "no rule that converts anything"
end

--- What a config asks for in general.
---@param q table quantization_config as read by qspec.quantization_config
function M.requested(q)
  local object, problem, hint = object_of(q)
  if not object then
    return { problem = problem, hint = hint, skip = q.modules_to_not_convert }
  end
  local rules = config_objects.rules(object)
  local found, reason
  if rules then
    found, reason = general(rules)
  else
    found, reason = config_objects.request(object)
  end
  if not found then return { problem = reason, skip = q.modules_to_not_convert } end
  return setmetatable({ skip = q.modules_to_not_convert, rules = rules }, { __index = found })
end

local function fullmatcher(pattern)
  local compiled, regex = pcall(require("host.text").regex, "(?:" .. pattern .. ")$")
  return function(name) return compiled and regex:matches_start(name) end
end

-- The first rule that fits: the parameter by name, the module by name, then patterns in the order
-- of the file, each tried on the parameter first, then "_default".
local function compile_rules(rules)
  local patterns = {}
  for _, key in ipairs(json.keys(rules)) do
    if key:sub(1, 3) == "re:" then
      patterns[#patterns + 1] = { key = key, matches = fullmatcher(key:sub(4)) }
    end
  end
  return function(name)
    local parameter = name .. ".weight"
    if rules[parameter] ~= nil then return parameter end
    if rules[name] ~= nil then return name end
    for _, pattern in ipairs(patterns) do
      if pattern.matches(parameter) or pattern.matches(name) then return pattern.key end
    end
    return rules._default ~= nil and "_default" or nil
  end
end

local UNMATCHED = "no rule of FqnToConfig matches it"

local function request_by_rule(rules)
  local rule_of, made = compile_rules(rules), {}
  return function(module)
    local key = rule_of(module.name)
    if not key then return nil, UNMATCHED end
    if rules[key] == json.null then return nil, ("the rule '%s' is null"):format(key) end
    if not made[key] then
      local request, reason = config_objects.request(rules[key])
      made[key] = { request = request, reason = reason }
    end
    return made[key].request, made[key].reason
  end
end

-- Keys are compared with the parameter's name.
local function on_parameters(list)
  for _, exclusion in ipairs(list) do
    local matches = exclusion.matches
    exclusion.matches = function(name) return matches(name .. ".weight") end
  end
  return list
end

local function without_embeddings(list, architecture, modules)
  local embeddings = { [architecture.output or ""] = true }
  for _, module in ipairs(modules) do
    if module.kind == "embedding" and not module.tied_to then embeddings[module.name] = true end
  end
  local kept = {}
  for _, exclusion in ipairs(list) do
    if not embeddings[exclusion.key] then kept[#kept + 1] = exclusion end
  end
  return kept
end

--- The request of each module.
function M.requests(model)
  local asked = model.requested
  if not (asked and asked.layout) then
    return requests.unjudged(model, asked and asked.skip or nil)
  end
  local with_embeddings = model.values.include_input_output_embeddings == true
  local list = exclusions.in_force(model.architecture, model.modules, asked.skip)
  if with_embeddings then list = without_embeddings(list, model.architecture, model.modules) end
  on_parameters(list)
  local of_rule = asked.rules and request_by_rule(asked.rules)
  local function of(module)
    if module.class ~= "Linear" and not (with_embeddings and module.class == "Embedding") then
      return nil, module.kind == "linear" and ("torchao never converts a module of class %s")
        :format(module.class) or nil
    end
    local exclusion = exclusions.find(list, module.name)
    if exclusion then
      return nil, ("excluded by '%s' (%s)"):format(exclusion.key, exclusion.source)
    end
    if of_rule then return of_rule(module) end
    return asked
  end
  return { exclusions = list, judged = true, of = of }
end

--- Where torchao or transformers would say nothing.
---@param subject table
---@return table[] findings
function M.silent(subject)
  local findings = {}
  for _, problem in ipairs(metadata.of(subject.checkpoint).problems) do
    findings[#findings + 1] = { key = problem.key, found = problem.found, wanted = problem.wanted,
      hint = "transformers refuses the metadata of the whole checkpoint" }
  end
  local rules = subject.requested and subject.requested.rules
  if not rules then return findings end
  local rule_of, used = compile_rules(rules), {}
  for _, row in ipairs(subject.census.modules) do
    local key = row.kind == "linear" and rule_of(row.name)
    if key then used[key] = true end
    if row.reason == UNMATCHED and not row.tied_to then
      findings[#findings + 1] = { module = row.name, key = "FqnToConfig", found = "no rule",
        wanted = "a rule, null to leave it alone", hint = "it stays dense without a word" }
    end
  end
  for _, key in ipairs(json.keys(rules)) do
    if not used[key] and key ~= "_default" then
      findings[#findings + 1] = { key = key, found = "matches no linear module",
        wanted = "a module that the rule is for", hint = "a dead rule: a typo?" }
    end
  end
  return findings
end

return M
