-- compressed-tensors: what llm-compressor writes and vLLM reads, in all of its formats.
--
-- Source: compressed-tensors 0.20, quantization/quant_config.py, lifecycle/apply.py and
-- compressors/; transformers 5.17, utils/quantization_config.py CompressedTensorsConfig,
-- quantizers/quantizer_compressed_tensors.py and integrations/compressed_tensors.py. The footprint
-- is that before the first forward pass, at which transformers decodes every weight.

local ct_activations = require "qspec.layouts.ct_activations"
local ct_args = require "qspec.layouts.ct_args"
local ct_cache = require "qspec.layouts.ct_cache"
local ct_floats = require "qspec.layouts.ct_floats"
local ct_groups = require "qspec.layouts.ct_groups"
local ct_packed = require "qspec.layouts.ct_packed"
local ct_plain = require "qspec.layouts.ct_plain"
local ct_targets = require "qspec.layouts.ct_targets"
local ct_unshipped = require "qspec.layouts.ct_unshipped"
local exclusion_lists = require "qspec.exclusion_lists"
local json = require "host.json"
local nearest = require "qspec.nearest"
local requests = require "qspec.requests"

local M = {
  name = "compressed_tensors",
  summary = "llm-compressor's formats: packed integers, int8, fp8, nvfp4, mxfp4, mxfp6, mxfp8",
  methods = { "compressed-tensors" },
  layouts = { ct_unshipped, ct_packed, ct_floats, ct_plain },
  fallbacks = {
    "quantization_status other than compressed: transformers warns and loads the weights as dense",
    "run_compressed: false and dequantize: true decode the whole model on load",
    "a group without a format: transformers infers one from its arguments and ignores the config's",
    "a target that matches no module is a warning only",
    "activations of another kind of codes than the weights are taken, and no kernel rounds them",
    "only Linear and Embedding modules are converted; a target that names another does nothing",
    "weights are decoded at the first forward pass, after which the model is larger than the dense "
      .. "one",
    "experts are decoded on load, and a scale that is missing leaves an fp8 expert unscaled",
    "transform_config is dropped on load: the rotations of its weights are not undone",
    "sparsity_config is dropped on load",
    "nvfp4, mxfp4 and mxfp6 decode to bfloat16, which a model in float16 fails on",
    "float32 scales are cast to the dtype of the model on load",
    "weight_g_idx of older checkpoints is dropped on load",
  },
}

local STATUSES = { "initialized", "calibration", "frozen", "compressed", "decompressed" }

-- One entry for each name in the layers: "re:" before a regular expression that has them all.
local function by_layer(names)
  local numbers, order, list = {}, {}, {}
  for _, name in ipairs(names) do
    local before, number, after = name:match("^(.-%.)(%d+)(%..*)$")
    local key = before and before .. "\0" .. after or name
    if not numbers[key] then
      numbers[key] = {}
      order[#order + 1] = { key = key, name = name, before = before, after = after }
    end
    table.insert(numbers[key], number)
  end
  for i, one in ipairs(order) do
    local of_layers = numbers[one.key]
    list[i] = #of_layers < 2 and one.name or ("re:^%s(%s)%s$"):format(
      exclusion_lists.escaped(one.before), table.concat(of_layers, "|"),
      exclusion_lists.escaped(one.after))
  end
  return list
end

--- Names, and regular expressions where a name is of several layers.
function M.exclude(names, subject, is_own)
  local before = is_own and subject.quantization_values.ignore or { subject.architecture.output }
  local list = exclusion_lists.joined(by_layer(names), before)
  return { text = "ignore=" .. exclusion_lists.quoted(list), config = { ignore = list } }
end

--- The fields of quantization_config. transformers reads the loading flags and never writes them,
--- and drops what llm-compressor records beside the config.
M.fields = {
  { name = "config_groups", type = "object", nullable = true },
  { name = "dequantize", type = "boolean", saved = false },
  { name = "format", type = "string", default = "dense" },
  { name = "global_compression_ratio", type = "number", nullable = true },
  { name = "ignore", type = "strings", nullable = true },
  { name = "kv_cache_scheme", type = "object", nullable = true },
  { name = "moe_sparsity_config", type = "object", nullable = true },
  { name = "quant_method", type = "string", default = "compressed-tensors" },
  { name = "quantization_status", type = "string", default = "initialized", allowed = STATUSES },
  { name = "run_compressed", type = "boolean", saved = false },
  { name = "sparsity_config", type = "object", nullable = true, saved = false, harmless = true },
  { name = "transform_config", type = "object", nullable = true, saved = false, harmless = true },
  { name = "use_optimized_inference", type = "boolean", saved = false },
  { name = "version", type = "string", nullable = true, saved = false, harmless = true },
}

--- The old flag says the opposite of the new one.
function M.normalize(values)
  if values.run_compressed == false then values.dequantize = true end
end

-- Why a config is refused, or asks for nothing. In the order in which the library would find it.
local function refusal(q, groups, reason)
  if reason then return reason, "compressed-tensors refuses to load such a config" end
  if type(q.format) == "string" and not ct_groups.is_concrete(q.format)
      and q.format ~= "mixed-precision" and q.format ~= "fakequant" then
    if ct_groups.unshipped[q.format] then
      return ("format '%s'"):format(q.format),
        "its decompressor was dropped from compressed-tensors in 0.14"
    end
    local close = nearest(q.format, ct_groups.names())
    return ("format '%s'"):format(q.format), close and ("did you mean '%s'?"):format(close) or nil
  end
  if q.quantization_status ~= "compressed" then
    return ("quantization_status '%s'"):format(tostring(q.quantization_status)),
      "transformers warns and loads the weights as dense ones"
  end
  if #groups == 0 and q.kv_cache_scheme == nil then return "config_groups without a group" end
end

local function cache_args(q)
  if q.kv_cache_scheme == nil then return nil end
  local args, reason = ct_args.read(q.kv_cache_scheme)
  return args, reason and "kv_cache_scheme " .. reason
end

local function compiled_ignore(q)
  local list = {}
  for i, key in ipairs(q.ignore or {}) do
    local target, reason = ct_targets.compile(key)
    if not target then return {}, "ignore has a bad entry: " .. reason end
    list[i] = target
  end
  return list
end

-- Everything that a config says, or the reason why it says nothing.
local function read(q)
  local groups, reason = ct_groups.read(q.config_groups, q.format)
  local cache, cache_reason = cache_args(q)
  local ignore, ignore_reason = compiled_ignore(q)
  local problem, hint = refusal(q, groups or {}, reason or cache_reason or ignore_reason)
  return { groups = groups or {}, cache = cache, ignore = ignore, problem = problem, hint = hint }
end

-- The first group that packs weights stands for the config where one word is wanted.
local function main_request(plan, format)
  for _, group in ipairs(plan.groups) do
    local request = ct_groups.request(group, format)
    if request then return request end
  end
end

--- What a config asks for in general.
---@param q table quantization_config as read by qspec.quantization_config
function M.requested(q)
  local plan = read(q)
  if plan.problem then return { problem = plan.problem, hint = plan.hint } end
  local request = main_request(plan, q.format)
  if not request then return { type = "dense" } end
  return { bits = request.bits, type = request.type, class = request.class,
    layout = request.layout, scheme = request.scheme }
end

--- Modules of these kinds have weights that can be converted.
function M.converts(module)
  if module.kind == "linear" or module.kind == "router" then return module.class == "Linear" end
  return module.kind == "embedding"
end

-- Targets of all groups: a target that two groups list belongs to the later one.
local function targets_of(groups)
  local targets, group_of = {}, {}
  for _, group in ipairs(groups) do
    for _, target in ipairs(group.targets) do
      if not group_of[target.key] then targets[#targets + 1] = target end
      group_of[target.key] = group
    end
  end
  ct_targets.sort(targets)
  return targets, group_of
end

-- A request for one module; its class stays its own.
local function request_for(module, group, format)
  local request = ct_groups.request(group, format)
  if not request then
    return nil, ("group '%s' leaves its weight dense"):format(group.name)
  end
  request.class = module.class
  return request
end

local function exclusions_of(ignore, modules)
  local by_name, list = {}, {}
  for _, module in ipairs(modules) do by_name[module.name] = module end
  for i, entry in ipairs(ignore) do
    list[i] = { key = entry.key, source = "config", matches = function(name)
      local module = by_name[name]
      return module and entry.matches(module) or entry.names(name)
    end }
  end
  return list
end

--- The request of each module.
function M.requests(model)
  local q = model.values
  local plan = read(q)
  if plan.problem then return requests.unjudged(model, {}) end
  local targets, group_of = targets_of(plan.groups)
  local function of(module)
    if not M.converts(module) then
      return nil, module.kind == "linear" and "compressed-tensors never converts a module of class "
        .. module.class or nil
    end
    local target = ct_targets.deciding(targets, module)
    if not target then return nil, "no target of a group matches it" end
    local ignored = ct_targets.ignoring(plan.ignore, module)
    if ignored then return nil, ("excluded by '%s' (config)"):format(ignored.key) end
    return request_for(module, group_of[target.key], q.format)
  end
  return { exclusions = exclusions_of(plan.ignore, model.modules), judged = true, of = of }
end

--- The scales of the cache are parameters of the model.
---@param modules table[]
---@param q table quantization_config as read
---@param config table config.json as read
function M.modules(modules, q, config)
  local plan = read(q)
  if plan.problem then return modules end
  return ct_cache.modules(modules, plan.cache, plan.groups, config)
end

--- What a run leaves out, whatever the modules.
---@param q table quantization_config as read
---@return string[]
function M.omits(q)
  local plan = read(q)
  local queries = false
  for _, group in ipairs(plan.groups) do
    queries = queries or not group.weights and group.inputs ~= nil
  end
  local list = {}
  if plan.cache then list[1] = "keys and values of the cache are not rounded" end
  if queries then list[#list + 1] = "the inputs of attention are not rounded" end
  return list
end

-- Silent places -----------------------------------------------------------------------------------

local function dead_targets(plan, subject, findings)
  local targets = targets_of(plan.groups)
  for _, target in ipairs(targets) do
    local is_alive = false
    for _, module in ipairs(subject.modules) do
      is_alive = is_alive or target.matches(module)
        or target.names(module.name:match("^(.*)%.[^.]+$") or "")
    end
    if not is_alive then
      findings[#findings + 1] = { key = "targets", found = ("'%s' matches no module")
        :format(target.key), wanted = "a module to quantize", hint = "the library warns only" }
    end
  end
end

local function inferred_formats(plan, q, findings)
  for _, group in ipairs(plan.groups) do
    local inferred = ct_groups.inferred(group)
    if not group.format and ct_groups.is_concrete(q.format) and inferred ~= q.format then
      findings[#findings + 1] = { key = "config_groups." .. group.name .. ".format",
        found = ("absent, and '%s' is inferred"):format(inferred), wanted = ("'%s'"):format(
          q.format), hint = "transformers reads the format of the group, not that of the config" }
    end
  end
end

local function is_filled(value)
  return type(value) == "table" and next(value) ~= nil
end

local function dropped_configs(q, findings)
  if is_filled(q.transform_config) then
    findings[#findings + 1] = { key = "transform_config", found = json.encode(q.transform_config),
      wanted = "none", hint = "transformers drops it: rotated weights are run as they are" }
  end
  if is_filled(q.sparsity_config) and q.sparsity_config.format ~= "dense" then
    findings[#findings + 1] = { key = "sparsity_config", found = json.encode(q.sparsity_config),
      wanted = "none", hint = "transformers drops it, and no decompressor is left" }
  end
end

-- A model in float16 meets weights that decode to bfloat16.
local function half_types(subject, findings)
  if subject.dtype ~= "float16" then return end
  for _, row in ipairs(subject.census.modules) do
    if row.layout == ct_floats then
      findings[#findings + 1] = { module = row.name, key = "dtype", found = "float16",
        wanted = "bfloat16", hint = "the library decodes " .. row.scheme.type
          .. " to bfloat16; the forward pass fails on two dtypes" }
      return
    end
  end
end

-- A module that shares its weight loses it when it is converted.
local function tied_modules(subject, findings)
  for _, module in ipairs(subject.modules) do
    local other = module.tied_to
    if other and (subject.requests.of(module)
        or subject.census.by_name[other] and subject.census.by_name[other].request) then
      findings[#findings + 1] = { module = module.name, key = "ignore",
        found = ("a target matches it or %s, with which it shares its weight"):format(other),
        wanted = "both in the ignore list",
        hint = "transformers cannot tie the weight of a converted module and does not load" }
    end
  end
end

--- Where the library would drop or replace something of this checkpoint in silence.
function M.silent(subject)
  local q, findings = subject.quantization_values, {}
  local plan = read(q)
  dropped_configs(q, findings)
  if plan.problem then return findings end
  dead_targets(plan, subject, findings)
  inferred_formats(plan, q, findings)
  for _, group in ipairs(plan.groups) do
    for _, problem in ipairs(ct_activations.problems(group)) do
      findings[#findings + 1] = problem
    end
  end
  half_types(subject, findings)
  tied_modules(subject, findings)
  return findings
end

return M
