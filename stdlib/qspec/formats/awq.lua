-- AWQ: activation-aware weight quantization, as AutoAWQ, GPTQModel and llm-awq write it.
--
-- Source: transformers 5.17, utils/quantization_config.py AwqConfig, quantizers/quantizer_awq.py
-- and integrations/awq.py; GPTQModel 7.7.

local awq_gemm = require "qspec.layouts.awq_gemm"
local awq_gemv = require "qspec.layouts.awq_gemv"
local awq_gemv_fast = require "qspec.layouts.awq_gemv_fast"
local awq_words = require "qspec.layouts.awq_words"
local exclusion_lists = require "qspec.exclusion_lists"
local exclusions = require "qspec.exclusions"
local gptq_fields = require "qspec.layouts.gptq_fields"
local gptq_findings = require "qspec.layouts.gptq_findings"
local gptq_modules = require "qspec.layouts.gptq_modules"
local requests = require "qspec.requests"

local M = {
  name = "awq",
  summary = "4 bits in groups, after scaling what the activations say matters",
  methods = { "awq" },
  rescales = true,
  layouts = { awq_gemm, awq_gemv, awq_gemv_fast },
  fallbacks = {
    "unknown keys are dropped: dynamic with them, fuse_*, do_fuse, modules_to_fuse, exllama_config",
    "lm_head: true is dropped: a packed head is left out and replaced by random weights",
    "version replaces format when both are there, checkpoint_format replaces version",
    "quantize_config.json and quant_config.json are not read: only config.json counts",
    "scales and biases of bfloat16 are cast to float16",
    "on a GPU a bfloat16 model becomes a float16 one, with a warning",
    "group_size and bits are not checked: the library fails when it multiplies",
    "experts in one parameter stay dense; experts packed one by one are left out",
    "the bias of a module that has none is left out",
  },
}

local BACKENDS = { "auto", "autoawq", "auto_trainable", "machete", "marlin", "exllama_v2",
  "exllama_v1", "gemm", "gemm_triton", "gemv", "gemv_fast", "torch_awq", "torch_fused_awq",
  "llm-awq" }

-- A key that the library drops, of settings of kernels.
local function dropped(name, type)
  return { name = name, type = type, nullable = true, saved = false, harmless = true }
end

--- How it is told to leave modules alone.
M.exclude = exclusion_lists.field "modules_to_not_convert"

M.fields = gptq_fields.fields {
  { name = "bits", type = "integer", default = 4 },
  { name = "checkpoint_format", type = "string", nullable = true, saved = false, harmless = true },
  dropped("do_fuse", "boolean"),
  { name = "format", type = "string", default = "gemm", ignores_case = true },
  dropped("fuse_max_seq_len", "integer"),
  { name = "modules_to_not_convert", type = "strings", nullable = true },
  dropped("modules_to_fuse", "object"),
  { name = "quant_method", type = "string", default = "awq" },
  { name = "version", type = "string", ignores_case = true },
  { name = "zero_point", type = "boolean", default = true },
}
for _, field in ipairs(M.fields) do
  if field.name == "backend" then field.allowed = BACKENDS end
end

--- What AwqConfig does on reading. Unlike GPTQConfig it leaves act_group_aware alone.
function M.normalize(values)
  local format = gptq_fields.lower(values.checkpoint_format)
    or gptq_fields.lower(values.version) or gptq_fields.lower(values.format)
  if values.backend == "llm-awq" then format = "llm-awq" end
  if values.backend == "llm-awq" or values.backend == "autoawq" then values.backend = "auto" end
  values.format, values.version = format, format
end

-- GPTQModel's quantize_config.json says that it is AWQ's; quant_config.json is AutoAWQ's own.
local function translate_gptqmodel(raw, kinds)
  if raw.quant_method ~= "awq" and raw.method ~= "awq" then return nil end
  local config, config_kinds = { quant_method = "awq" }, { quant_method = "string" }
  for key, value in pairs(raw) do
    if key ~= "quant_method" then config[key], config_kinds[key] = value, kinds[key] end
  end
  return config, config_kinds
end

local RENAMED = { w_bit = "bits", q_group_size = "group_size" }

local function translate_autoawq(raw, kinds)
  if raw.w_bit == nil then return nil end
  local config, config_kinds = { quant_method = "awq" }, { quant_method = "string" }
  for key, value in pairs(raw) do
    local name = RENAMED[key] or key
    config[name], config_kinds[name] = value, kinds[key]
  end
  return config, config_kinds
end

M.files = { ["quantize_config.json"] = translate_gptqmodel,
  ["quant_config.json"] = translate_autoawq }

local LAYOUTS = { gemm = awq_gemm, gemv = awq_gemv, gemv_fast = awq_gemv_fast,
  ["llm-awq"] = awq_gemv_fast }

local function is_width(bits)
  return type(bits) == "number" and bits % 1 == 0 and bits >= 2 and bits <= 8
end

local function problem_of(q)
  if not LAYOUTS[q.format] then
    return ("version '%s'"):format(tostring(q.format)), "transformers knows gemm, gemv, gemv_fast "
      .. "and llm-awq"
  elseif not is_width(q.bits) then
    return "bits " .. tostring(q.bits), "GPTQModel reads 2 to 8"
  elseif q.bits ~= 4 and q.format ~= "gemm" then
    return ("bits %d in version %s"):format(q.bits, q.format), "only gemm has other widths than 4"
  elseif not gptq_fields.is_group_size(q.group_size) then
    return "group_size " .. tostring(q.group_size), "-1 or a positive number"
  elseif q.format ~= "gemm" and q.group_size > 0
      and not awq_words.zero_words(q.group_size, q.group_size) then
    return ("group_size %d in version %s"):format(q.group_size, q.format),
      "its kernels know 16, 32, 64 and from 128 on"
  end
end

local function is_symmetric(q)
  return q.zero_point == false or nil
end

local function request_of(q, module)
  local shape = module and module.shape
  local size = shape and gptq_fields.group_size(q.group_size, module.transposed and shape[1]
    or shape[2])
  local layout = LAYOUTS[q.format]
  local is_llm = q.format == "llm-awq"
  return { bits = q.bits, type = "int" .. q.bits, layout = layout, group_size = size,
    class = is_llm and "LLMAwqLinear" or layout.class, symmetric = is_symmetric(q),
    skip = q.modules_to_not_convert,
    scheme = { bits = q.bits, group_size = size or 128, symmetric = is_symmetric(q),
      zeros = is_llm and "scaled_zeros" or nil } }
end

--- What a config asks for in general.
---@param q table quantization_config as read by qspec.quantization_config
function M.requested(q)
  local problem, hint = problem_of(q)
  if problem then return { problem = problem, hint = hint, skip = q.modules_to_not_convert } end
  return request_of(q)
end

--- Whether AWQ would replace this module, exclusions aside.
function M.converts(module)
  return module.class == "Linear"
end

-- The user's list is added to the defaults here; everywhere else it replaces them.
local function exclusions_in_force(model)
  local list = exclusions.in_force(model.architecture, model.modules, nil)
  for _, key in ipairs(model.values.modules_to_not_convert or {}) do
    list[#list + 1] = { key = key, source = "config", matches = exclusions.matcher(key) }
  end
  return list
end

-- GPTQModel's rules, where it wrote the file.
local function request_by_rule(q, rules, module)
  local rule = gptq_modules.find(rules, module.name)
  if not rule then return request_of(q, module) end
  if rule.excludes then return nil, ("excluded by '%s' (config)"):format(rule.key) end
  local own = gptq_modules.with_rule(q, rule)
  local problem = problem_of(own)
  if problem then return nil, ("the rule '%s' asks for %s"):format(rule.key, problem) end
  return request_of(own, module)
end

--- The request of each module.
function M.requests(model)
  if not model.requested.layout then
    return requests.unjudged(model, model.values.modules_to_not_convert)
  end
  local in_force, rules = exclusions_in_force(model), gptq_modules.rules(model.values.dynamic)
  local function of(module)
    if not M.converts(module) then
      return nil, module.kind == "linear" and "awq never converts a module of class "
        .. module.class or nil
    end
    local exclusion = exclusions.find(in_force, module.name)
    if exclusion then
      return nil, ("excluded by '%s' (%s)"):format(exclusion.key, exclusion.source)
    end
    return request_by_rule(model.values, rules, module)
  end
  return { exclusions = in_force, judged = true, of = of }
end

--- What the loader drops of this config without a word.
function M.silent(subject)
  local findings = {}
  gptq_findings.elsewhere(findings, subject)
  gptq_findings.beside(findings, subject, "quantize_config.json")
  gptq_findings.dynamic(findings, subject, gptq_modules.rules(subject.quantization_values.dynamic))
  gptq_findings.head(findings, subject)
  gptq_findings.experts(findings, subject)
  return findings
end

return M
