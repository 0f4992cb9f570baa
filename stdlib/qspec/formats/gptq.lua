-- GPTQ, as AutoGPTQ, GPTQModel and optimum write it.
--
-- Source: transformers 5.17, utils/quantization_config.py GPTQConfig and
-- quantizers/quantizer_gptq.py; optimum 2.3, gptq/quantizer.py; GPTQModel 7.7.

local exclusion_lists = require "qspec.exclusion_lists"
local gptq_fields = require "qspec.layouts.gptq_fields"
local gptq_findings = require "qspec.layouts.gptq_findings"
local gptq_modules = require "qspec.layouts.gptq_modules"
local gptq_weight = require "qspec.layouts.gptq_weight"
local requests = require "qspec.requests"

local M = {
  name = "gptq",
  summary = "2 to 8 bits in groups, rounded with second-order information",
  methods = { "gptq" },
  layouts = { gptq_weight },
  fallbacks = {
    "unknown keys are dropped, dynamic with them: modules that a rule excludes or gives other bits "
      .. "are converted by the general config",
    "lm_head: true is dropped: a packed head is left out and replaced by random weights",
    "checkpoint_format replaces format when both are there",
    "quantize_config.json is not read: only config.json counts",
    "modules outside of the blocks stay dense, as do names that modules_in_block_to_quantize does "
      .. "not list; an entry that no name ends with is ignored",
    "experts in one parameter stay dense; experts packed one by one are left out",
    "which version the zero points are of is taken from the config and never checked",
    "kernels that are told desc_act: false do not read g_idx",
    "desc_act: true switches act_group_aware off",
    "the bias of a module that has none is left out",
  },
}

--- Rules of GPTQModel's `dynamic`, which is no field of transformers' config.
function M.exclude(names)
  local rules, parts = {}, {}
  for i, name in ipairs(names) do
    local rule = "-:^" .. exclusion_lists.escaped(name) .. "$"
    rules[rule], parts[i] = {}, exclusion_lists.quoted { rule }:sub(2, -2) .. ": {}"
  end
  return { text = "dynamic={" .. table.concat(parts, ", ") .. "}", config = { dynamic = rules } }
end

M.fields = gptq_fields.fields {
  { name = "bits", type = "integer", allowed = { 2, 3, 4, 8 } },
  { name = "checkpoint_format", type = "string" },
  { name = "format", type = "string", default = "gptq" },
  { name = "quant_method", type = "string", default = "gptq" },
}

--- What GPTQConfig does on reading.
function M.normalize(values)
  values.format = gptq_fields.lower(values.checkpoint_format or values.format)
  values.checkpoint_format = values.format
  values.backend = gptq_fields.lower(values.backend or "auto")
  if values.desc_act == true and values.act_group_aware == true then
    values.act_group_aware = false
  end
end

-- quantize_config.json is AWQ's too when it says so; AutoGPTQ's does not name its method.
local function translate(raw, kinds)
  local method = raw.quant_method or raw.method or "gptq"
  if method ~= "gptq" then return nil end
  local config, config_kinds = { quant_method = "gptq" }, { quant_method = "string" }
  for key, value in pairs(raw) do
    if key ~= "quant_method" then config[key], config_kinds[key] = value, kinds[key] end
  end
  return config, config_kinds
end

M.files = { ["quantize_config.json"] = translate }

local BITS = { [2] = true, [3] = true, [4] = true, [8] = true }
local PLANAR_BITS = { [2] = true, [3] = true, [4] = true, [5] = true, [6] = true, [7] = true,
  [8] = true }
local ZEROS = { gptq = "v1", gptq_v2 = "v2", gptq_p = "v2" }

local function problem_of(q)
  local bits = q.format == "gptq_p" and PLANAR_BITS or BITS
  if not ZEROS[q.format] then
    return ("format '%s'"):format(tostring(q.format)), "of gptq, gptq_v2 and gptq_p; marlin and "
      .. "bitblas are a kernel's own order of the codes and must be converted back"
  elseif q.is_marlin_format == true then
    return "is_marlin_format true", "a kernel's own order of the codes: convert it back"
  elseif not bits[q.bits] then
    return "bits " .. tostring(q.bits), "transformers refuses other bits than 2, 3, 4 and 8"
  elseif not gptq_fields.is_group_size(q.group_size) then
    return "group_size " .. tostring(q.group_size), "transformers wants -1 or a positive number"
  end
end

local function flag(value)
  if type(value) == "boolean" then return value end
end

-- Whether the quantizer says that it did not keep the groups in the order of the file.
local function is_shuffled(q)
  local static = q.static_groups
  if type(q.meta) == "table" then static = q.meta.static_groups end
  return q.desc_act == true and static == false
end

local function scheme_of(q, in_features)
  local size = in_features and gptq_fields.group_size(q.group_size, in_features) or 128
  return { bits = q.bits, group_size = size, zeros = ZEROS[q.format], symmetric = flag(q.sym),
    act_order = flag(q.desc_act), shuffled = is_shuffled(q), planar = q.format == "gptq_p" }
end

local function request_of(q, module)
  local scheme = scheme_of(q, module and (module.transposed and module.shape[1]
    or module.shape[2]))
  return { bits = scheme.bits, type = "int" .. scheme.bits, class = gptq_weight.class,
    layout = gptq_weight, group_size = module and scheme.group_size, symmetric = scheme.symmetric,
    scheme = scheme }
end

--- What a config asks for in general.
---@param q table quantization_config as read by qspec.quantization_config
function M.requested(q)
  local problem, hint = problem_of(q)
  if problem then return { problem = problem, hint = hint } end
  return request_of(q)
end

local CONVERTED = { Linear = true, Conv1D = true }

--- Whether GPTQ would replace this module, blocks and lists aside.
function M.converts(module)
  return CONVERTED[module.class] == true
end

local function rule_exclusions(rules)
  local list = {}
  for _, rule in ipairs(rules) do
    if rule.excludes then
      list[#list + 1] = { key = rule.key, source = "config", matches = rule.matches }
    end
  end
  return list
end

-- Whether a module is outside of what is to be converted, and why where it is a linear.
local function outside(module, o)
  if not M.converts(module) then
    return true, module.kind == "linear" and "gptq never converts a module of class "
      .. module.class or nil
  elseif module.name == o.output then
    return not o.head, "the output head, without lm_head in the config"
  elseif o.prefix and not gptq_modules.starts(module.name, o.prefix) then
    return true, ("outside of the blocks '%s'"):format(o.prefix)
  elseif o.listed and not gptq_modules.is_listed(module.name, o.listed) then
    return true, "not in modules_in_block_to_quantize"
  end
  return false
end

local function request_by_rule(q, rules, module)
  local rule = gptq_modules.find(rules, module.name)
  if not rule then return request_of(q, module) end
  if rule.excludes then return nil, ("excluded by '%s' (config)"):format(rule.key) end
  local own = gptq_modules.with_rule(q, rule)
  local problem = problem_of(own)
  if problem then return nil, ("the rule '%s' asks for %s"):format(rule.key, problem) end
  return request_of(own, module)
end

--- The request of each module: those in the blocks, but for lists and rules.
function M.requests(model)
  local q = model.values
  if not model.requested.layout then return requests.unjudged(model) end
  local rules = gptq_modules.rules(q.dynamic)
  local options = { head = q.lm_head == true, output = model.architecture.output,
    prefix = q.block_name_to_quantize or gptq_modules.block_prefix(model.modules),
    listed = q.modules_in_block_to_quantize
      and gptq_modules.flatten(q.modules_in_block_to_quantize) }
  local function of(module)
    local is_outside, reason = outside(module, options)
    if is_outside then return nil, reason end
    return request_by_rule(q, rules, module)
  end
  return { exclusions = rule_exclusions(rules), judged = true, of = of }
end

--- What the loader drops of this config without a word.
function M.silent(subject)
  local findings = {}
  gptq_findings.elsewhere(findings, subject)
  gptq_findings.beside(findings, subject, "quantize_config.json")
  gptq_findings.dynamic(findings, subject, gptq_modules.rules(subject.quantization_values.dynamic))
  gptq_findings.head(findings, subject)
  gptq_findings.dead_entries(findings, subject)
  gptq_findings.experts(findings, subject)
  return findings
end

return M
