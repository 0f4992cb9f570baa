-- Scales of the KV cache and of attention, which compressed-tensors keeps beside the projections.
--
-- Source: compressed-tensors 0.20, quantization/lifecycle/apply.py (_apply_kv_cache_scheme) and
-- initialize.py (initialize_attn_qparams, is_cached_attention_module).

local M = {}

local PROJECTIONS = { "k_proj", "v_proj", "qkv_proj", "kv_b_proj" }

-- Names of the modules that hold a projection of keys or values.
local function attentions(modules)
  local names, seen = {}, {}
  for _, module in ipairs(modules) do
    for _, projection in ipairs(PROJECTIONS) do
      local name = module.name:match("^(.*)%." .. projection .. "$")
      if name and not seen[name] then
        seen[name] = true
        names[#names + 1] = name
      end
    end
  end
  return names
end

local function shape_of(args, heads)
  return args.strategy == "attn_head" and { heads, 1, 1 } or { 1 }
end

local function add(list, name, shape)
  list[#list + 1] = { name = name, class = "Parameter", kind = "parameter", shape = shape,
    parameters = { { name = "weight", shape = shape } }, bias = false }
end

-- A group without weights that targets attention quantizes queries too.
local function attention_args(groups, name)
  for _, group in ipairs(groups) do
    for _, target in ipairs(group.targets) do
      if not group.weights and group.inputs and target.names(name) then return group.inputs end
    end
  end
end

--- Parameters that the scheme of the cache, and groups that target attention, add to a model.
---@param modules table[] of the decoder
---@param scheme qspec.CtArgs|nil kv_cache_scheme
---@param groups qspec.CtGroup[]
---@param config table {num_attention_heads, num_key_value_heads}
---@return table[] modules those given, and one for each parameter added
function M.modules(modules, scheme, groups, config)
  local list = { unpack(modules) }
  local heads = config.num_attention_heads or 1
  local kv_heads = config.num_key_value_heads or heads
  for _, name in ipairs(attentions(modules)) do
    local own = attention_args(groups, name)
    local args = own or scheme
    if args and not args.dynamic then
      if own then add(list, name .. ".q_scale", shape_of(args, heads)) end
      add(list, name .. ".k_scale", shape_of(args, kv_heads))
      add(list, name .. ".v_scale", shape_of(args, kv_heads))
    end
  end
  return list
end

return M
