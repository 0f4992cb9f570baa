-- auto-round: weights rounded by signed gradient descent, packed as GPTQ's or AWQ's are.
--
-- Source: transformers 5.17, utils/quantization_config.py AutoRoundConfig and
-- quantizers/quantizer_auto_round.py; auto-round 0.16, inference/convert_model.py and backend.py.

local auto_round_modules = require "qspec.layouts.auto_round_modules"
local awq_gemm = require "qspec.layouts.awq_gemm"
local exclusion_lists = require "qspec.exclusion_lists"
local gptq_fields = require "qspec.layouts.gptq_fields"
local gptq_findings = require "qspec.layouts.gptq_findings"
local gptq_modules = require "qspec.layouts.gptq_modules"
local gptq_weight = require "qspec.layouts.gptq_weight"
local json = require "host.json"
local requests = require "qspec.requests"

local M = {
  name = "auto-round",
  summary = "2 to 8 bits in groups, rounded by signed gradient descent; packed as GPTQ or AWQ",
  methods = { "auto-round", "intel/auto-round" },
  layouts = { gptq_weight, awq_gemm },
  keeps_unknown_keys = true,
  fallbacks = {
    "a packing_format that is absent is auto_round:auto_gptq, whose zero points are stored less "
      .. "one",
    "a zero point of 0 is stored as 0 by auto_round:auto_gptq, and read as 1",
    "quant_method intel/auto-round, of old files, is unknown to transformers: it loads a dense "
      .. "model",
    "an entry of extra_config that is neither a module nor a regular expression is ignored",
    "rules of dynamic without +: or -: are ignored",
    "the bias of a module that has none is left out",
  },
}

--- A layer of 16 bits is left alone; the exporter writes it to extra_config.
function M.exclude(names)
  local settings, parts = {}, {}
  for i, name in ipairs(names) do
    settings[name] = { bits = 16 }
    parts[i] = exclusion_lists.quoted { name }:sub(2, -2) .. ': {"bits": 16}'
  end
  return { text = "layer_config={" .. table.concat(parts, ", ") .. "}",
    config = { extra_config = settings } }
end

M.fields = {
  { name = "backend", type = "string", default = "auto" },
  { name = "bits", type = "integer", default = 4, allowed = { 2, 3, 4, 5, 6, 7, 8 } },
  { name = "block_name_to_quantize", type = { "string", "strings", "array" }, nullable = true },
  { name = "data_type", type = "string" },
  { name = "dynamic", type = "object", nullable = true },
  { name = "extra_config", type = "object", nullable = true },
  { name = "group_size", type = "integer", default = 128 },
  { name = "modules_in_block_to_quantize", type = "array", nullable = true },
  { name = "modules_to_not_convert", type = "strings", nullable = true },
  { name = "packing_format", type = "string", default = "auto_round:gptq" },
  { name = "quant_block_list", type = "array", nullable = true },
  { name = "quant_method", type = "string", default = "auto-round" },
  { name = "sym", type = "boolean", default = true },
  { name = "to_quant_block_names", type = { "string", "strings", "array" }, nullable = true },
}

local AS_GPTQ = { layout = gptq_weight, zeros = "auto-round" }
local AS_GPTQ_2 = { layout = gptq_weight, zeros = "v2" }
local AS_AWQ = { layout = awq_gemm }

-- How the names of packing_format are packed.
local PACKED = { ["auto_round:auto_gptq"] = AS_GPTQ, ["auto_round:gptq"] = AS_GPTQ,
  ["auto_round:gptqmodel"] = AS_GPTQ_2, ["auto_round"] = AS_GPTQ_2,
  ["auto_round:auto_awq"] = AS_AWQ, ["auto_round:awq"] = AS_AWQ }

local function problem_of(q)
  if not PACKED[q.packing_format] then
    return ("packing_format '%s'"):format(tostring(q.packing_format)),
      "auto_round, auto_round:auto_gptq, auto_round:gptqmodel and auto_round:auto_awq are read here"
  elseif q.data_type ~= nil and not tostring(q.data_type):find("^int") then
    return ("data_type '%s'"):format(tostring(q.data_type)), "only integers are packed so"
  elseif type(q.bits) ~= "number" or q.bits % 1 ~= 0 or q.bits < 2 or q.bits > 8 then
    return "bits " .. tostring(q.bits), "transformers wants 2 to 8"
  elseif not gptq_fields.is_group_size(q.group_size) then
    return "group_size " .. tostring(q.group_size), "transformers wants -1 or a positive number"
  end
end

local function request_of(q, module)
  local packed, shape = PACKED[q.packing_format], module and module.shape
  local size = shape and gptq_fields.group_size(q.group_size, module.transposed and shape[1]
    or shape[2])
  local layout = packed.layout
  local symmetric = layout == gptq_weight and type(q.sym) == "boolean" and q.sym or nil
  return { bits = q.bits, type = "int" .. q.bits, layout = layout, group_size = size,
    class = layout == gptq_weight and "QuantLinear" or layout.class, symmetric = symmetric,
    scheme = { bits = q.bits, group_size = size or 128, zeros = packed.zeros,
      symmetric = symmetric, signed_scales = true, no_groups = true, no_shifts = true,
      class = layout == gptq_weight and "QuantLinear" or nil } }
end

--- What a config asks for in general.
---@param q table quantization_config as read by qspec.quantization_config
function M.requested(q)
  local problem, hint = problem_of(q)
  if problem then return { problem = problem, hint = hint } end
  return request_of(q)
end

local CONVERTED = { Linear = true, Conv1D = true }

--- Whether auto-round would replace this module, blocks and settings aside.
function M.converts(module)
  return CONVERTED[module.class] == true
end

local function with_settings(q, settings)
  local own = {}
  for key, value in pairs(q) do own[key] = value end
  for _, key in ipairs { "bits", "group_size", "sym", "data_type" } do
    local value = settings[key]
    if value ~= nil and value ~= json.null then own[key] = value end
  end
  return own
end

local function request_by_rule(q, rule, module)
  local own = with_settings(q, rule.settings)
  if type(own.bits) == "number" and own.bits > 8 then
    return nil, ("excluded by '%s' (%s)"):format(rule.key, rule.source)
  end
  local problem = problem_of(own)
  if problem then
    return nil, ("%s asks for %s of '%s'"):format(rule.source, problem, rule.key)
  end
  return request_of(own, module)
end

local function rule_for(rules, module, is_inside)
  for _, rule in ipairs(rules) do
    if (is_inside or rule.exact) and rule.matches(module.name) then return rule end
  end
end

local function is_unlisted(q, name)
  local listed = gptq_modules.flatten(q.modules_in_block_to_quantize)
  if #listed == 0 then return false end
  for _, entry in ipairs(listed) do
    local compiled, regex = pcall(require("host.text").regex, ".*(?:" .. entry .. ")")
    if compiled and regex:matches_start(name) then return false end
  end
  return true
end

--- The request of each module: those in the blocks, with settings of their own.
function M.requests(model)
  if not model.requested.layout then return requests.unjudged(model) end
  local q = model.values
  local rules = auto_round_modules.rules(q, model.modules)
  local prefixes = auto_round_modules.prefixes(q, model.modules)
  local function of(module)
    if not M.converts(module) then return nil end
    local is_inside = auto_round_modules.is_in_blocks(module.name, prefixes)
    local rule = rule_for(rules, module, is_inside)
    if rule then return request_by_rule(q, rule, module) end
    if not is_inside then return nil, "outside of the blocks that are quantized" end
    if is_unlisted(q, module.name) then return nil, "not in modules_in_block_to_quantize" end
    return request_of(q, module)
  end
  local excluding = {}
  for _, rule in ipairs(rules) do
    if rule.settings.bits == 16 then
      excluding[#excluding + 1] = { key = rule.key, source = "config", matches = rule.matches }
    end
  end
  return { exclusions = excluding, judged = true, of = of }
end

local function dead_settings(findings, subject)
  local rules = auto_round_modules.rules(subject.quantization_values, subject.modules)
  for _, rule in ipairs(rules) do
    local alive = false
    for _, module in ipairs(subject.modules) do
      alive = alive or (module.kind == "linear" and rule.matches(module.name))
    end
    if not alive and rule.settings.bits ~= 16 then
      findings[#findings + 1] = { key = rule.source, found = ("'%s' matches no linear module")
        :format(rule.key), wanted = "settings of some module" }
    end
  end
end

--- What the loader ignores of this config without a word.
function M.silent(subject)
  local findings = {}
  if subject.quantization.quant_method == "intel/auto-round" then
    findings[1] = { key = "quantization_config.quant_method", found = "intel/auto-round",
      wanted = "auto-round", hint = "transformers does not know it: it warns and loads a dense "
        .. "model with random weights" }
  end
  gptq_findings.elsewhere(findings, subject)
  dead_settings(findings, subject)
  gptq_findings.experts(findings, subject)
  return findings
end

return M
