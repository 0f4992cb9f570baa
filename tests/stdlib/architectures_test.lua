local test = require "test"
local builder = require "qspec.builder"
local holdings = require "qspec.holdings"
local json = require "host.json"
local model_config = require "qspec.model_config"
local registry = require "qspec.registry"

local architectures = registry("architectures")

-- What a config.json says, as the architecture reads it.
local function read(name, raw)
  return model_config.read(architectures.get(name), raw, "config.json")
end

local function modules(name, raw)
  return builder.modules(architectures.get(name), read(name, raw))
end

local function program(name, raw)
  return builder.program(architectures.get(name), read(name, raw))
end

local function by_name(list)
  local map = {}
  for _, module in ipairs(list) do map[module.name] = module end
  return map
end

-- Of the first op of this name that the filter takes.
local function op_of(raw_program, name, takes)
  for _, op in ipairs(raw_program.ops) do
    if op.op == name and (not takes or takes(op)) then return op end
  end
end

local function count(raw_program, name)
  local found = 0
  for _, op in ipairs(raw_program.ops) do
    if op.op == name then found = found + 1 end
  end
  return found
end

-- Two layers of any architecture.
local SMALL = { num_hidden_layers = 2, n_layer = 2, num_layers = 2, n_layers = 2,
  attention_types = { { { "global", "local" }, 1 } }, num_experts_per_tok = 2, head_dim = 64,
  n_routed_experts = 4, n_shared_experts = 1 }

for _, architecture in ipairs(architectures.all()) do
  test(architecture.name .. " lists its output and what it shares", function()
    local listed = by_name(modules(architecture.name, SMALL))
    test.ok(listed[architecture.output], architecture.output)
    for _, pair in ipairs(architecture.tied) do test.ok(listed[pair[2]], pair[2]) end
  end)
  if architecture.outline then
    test(architecture.name .. " says which layers are missing to run it", function()
      test.raises(architecture.name .. " cannot be run: .* not implemented", function()
        program(architecture.name, SMALL)
      end)
    end)
  else
    test(architecture.name .. " describes a program of its defaults", function()
      local described = program(architecture.name, SMALL)
      test.equal(described.layers, 2)
      test.equal(count(described, "cache"), 2)
    end)
  end
end

test("no model_type belongs to two architectures", function()
  local owner = {}
  for _, architecture in ipairs(architectures.all()) do
    for _, model_type in ipairs(architecture.model_types) do
      test.equal(owner[model_type], nil, model_type)
      owner[model_type] = architecture.name
    end
  end
end)

test("a window that is null is none, one that is not mentioned is the class's own", function()
  test.equal(op_of(program("mistral", { num_hidden_layers = 1 }), "attention_mask").window, 4096)
  local none = program("mistral", { num_hidden_layers = 1, sliding_window = json.null })
  test.equal(op_of(none, "attention_mask").window, 0)
end)

test("queries share keys by default as often as their class has it", function()
  local given = { num_hidden_layers = 1, num_attention_heads = 8, hidden_size = 64,
    intermediate_size = 96 }
  test.equal(by_name(modules("llama", given))["model.layers.0.self_attn.k_proj"].shape,
    { 64, 64 })
  given.num_key_value_heads = 2
  test.equal(by_name(modules("llama", given))["model.layers.0.self_attn.k_proj"].shape,
    { 16, 64 })
end)

test("keys that do not divide the queries are refused", function()
  test.raises("num_attention_heads = 32, wanted a multiple of num_key_value_heads = 5", function()
    modules("llama", { num_key_value_heads = 5 })
  end)
end)

-- Rotary positions -------------------------------------------------------------------------------

local function rope_table(raw)
  raw.num_hidden_layers = 1
  return op_of(program("llama", raw), "rope_table")
end

test("old names of rotary settings mean what today's mean", function()
  local scaling = { factor = 4, low_freq_factor = 1, high_freq_factor = 4,
    original_max_position_embeddings = 8192 }
  local old = { rope_theta = 5e5, rope_scaling = { type = "llama3" } }
  local new = { rope_parameters = { rope_type = "llama3", rope_theta = 5e5 } }
  for key, value in pairs(scaling) do
    old.rope_scaling[key], new.rope_parameters[key] = value, value
  end
  test.equal(rope_table(old), rope_table(new))
  test.equal(rope_table(old).theta, 5e5)
end)

test("a kind of rotary positions that nobody knows is refused by name", function()
  local err = test.raises("rotary positions of kind 'spiral'", function()
    rope_table { rope_scaling = { type = "spiral", factor = 2 } }
  end)
  test.equal(err.kind, "unsupported")
end)

for _, factor in ipairs { 0, -1, "2", 0 / 0, true } do
  test("a rotary factor of " .. tostring(factor) .. " is refused", function()
    test.raises("rope_parameters.factor = .*, wanted a", function()
      rope_table { rope_scaling = { type = "linear", factor = factor } }
    end)
  end)
end

test("a rotary factor that is missing is refused", function()
  test.raises("rope_parameters.factor", function()
    rope_table { rope_scaling = { type = "linear" } }
  end)
end)

test("a share of a head that leaves an odd width is refused", function()
  test.raises("partial_rotary_factor = 0.04", function()
    rope_table { partial_rotary_factor = 0.04 }
  end)
end)

test("Gemma 3 has two tables, of which each layer takes its own", function()
  local described = program("gemma3_text", { num_hidden_layers = 6 })
  test.equal(count(described, "rope_table"), 2)
  local thetas = {}
  for _, op in ipairs(described.ops) do
    if op.op == "rope_table" then thetas[#thetas + 1] = op.theta end
  end
  test.equal(thetas, { 10000, 1000000 })
end)

-- Layers of several kinds ------------------------------------------------------------------------

test("a type of layer that nobody knows is refused by name", function()
  local err = test.raises("layer of type 'linear_attention'", function()
    modules("gemma2", { num_hidden_layers = 1, layer_types = { "linear_attention" } })
  end)
  test.equal(err.kind, "unsupported")
end)

test("fewer types than layers are refused", function()
  test.raises("layer_types = 1, wanted one of each of 2 layers", function()
    modules("gemma2", { num_hidden_layers = 2, layer_types = { "full_attention" } })
  end)
end)

test("layers that mlp_only_layers lists have no experts", function()
  local listed = by_name(modules("qwen3_moe", { num_hidden_layers = 2,
    mlp_only_layers = { 0 } }))
  test.ok(listed["model.layers.0.mlp.gate_proj"])
  test.ok(listed["model.layers.1.mlp.experts.gate_up_proj"])
  test.equal(listed["model.layers.0.mlp.experts.gate_up_proj"], nil)
end)

for name, changes in pairs {
  gpt2 = { scale_attn_by_inverse_layer_idx = true },
  gemma2 = { use_bidirectional_attention = true },
  mpt = { attn_config = { qk_ln = true } },
  opt = { layer_norm_elementwise_affine = false },
  deepseek_v2 = { topk_method = "noaux_tc", num_experts_per_tok = 2 },
} do
  test(name .. " refuses to run what would change its arithmetic", function()
    local err = test.raises("which nothing here can run", function() program(name, changes) end)
    test.equal(err.kind, "unsupported")
  end)
end

test("more experts a token than there are is refused", function()
  test.raises("num_experts_per_tok = 9, wanted at most the 8 experts", function()
    modules("mixtral", { num_experts_per_tok = 9 })
  end)
end)

-- Names of files ---------------------------------------------------------------------------------

local function entry(name, shape, bytes)
  return { name = name, dtype = "F32", torch_dtype = "float32", shape = shape,
    bytes = bytes or 0 }
end

local TINY = { num_hidden_layers = 1, hidden_size = 8, intermediate_size = 6, vocab_size = 9,
  num_attention_heads = 2, num_key_value_heads = 1, num_local_experts = 2 }

local function expert_entries()
  local list = {}
  for expert = 0, 1 do
    local prefix = ("model.layers.0.block_sparse_moe.experts.%d."):format(expert)
    list[#list + 1] = entry(prefix .. "w1.weight", { 6, 8 }, 192)
    list[#list + 1] = entry(prefix .. "w2.weight", { 8, 6 }, 192)
    list[#list + 1] = entry(prefix .. "w3.weight", { 6, 8 }, 192)
  end
  return list
end

local function grouped(entries)
  return holdings.group(architectures.get("mixtral"), modules("mixtral", TINY), entries)
end

local GATE_UP = "model.layers.0.mlp.experts.gate_up_proj"

test("experts that a file keeps apart are one tensor under today's name", function()
  local held, orphans = grouped(expert_entries())
  test.equal(orphans, {})
  local joined = held[GATE_UP].tensors.weight
  test.equal(joined.shape, { 2, 12, 8 })
  test.equal(joined.bytes, 4 * 192)
  test.equal(joined.parts[2][1].name, "model.layers.0.block_sparse_moe.experts.1.w1.weight")
  test.equal(joined.parts[2][2].name, "model.layers.0.block_sparse_moe.experts.1.w3.weight")
  test.equal(held["model.layers.0.mlp.experts.down_proj"].tensors.weight.shape, { 2, 8, 6 })
end)

test("an expert that is missing is named", function()
  local entries = expert_entries()
  table.remove(entries, 4)
  local held = grouped(entries)
  test.equal(held[GATE_UP].tensors.weight, nil)
  test.equal(held[GATE_UP].missing, "model.layers.0.mlp.experts.1.w1.weight")
end)

test("an expert of another shape is the shape that is found", function()
  local entries = expert_entries()
  entries[4].shape = { 5, 8 }
  test.equal(grouped(entries)[GATE_UP].tensors.weight.shape, { 5, 8 })
end)

test("the head of a GPT-NeoX file is found under its old name", function()
  local neox = architectures.get("gpt_neox")
  local listed = modules("gpt_neox", { num_hidden_layers = 1 })
  local held, orphans = holdings.group(neox, listed, { entry("embed_out.weight", { 9, 8 }),
    entry("gpt_neox.layers.0.attention.masked_bias", {}), entry("gpt_neox.other", { 1 }) })
  test.equal(held.lm_head.tensors.weight.name, "embed_out.weight")
  test.equal(#orphans, 1)
  test.equal(orphans[1].name, "gpt_neox.other")
end)

test("a layer that transformers does not load is no orphan", function()
  local function group(layers)
    local raw = { num_hidden_layers = layers, num_experts_per_tok = 1, head_dim = 128 }
    return holdings.group(architectures.get("glm4_moe"), modules("glm4_moe", raw),
      { entry("model.layers.46.input_layernorm.weight", { 4096 }) })
  end
  local _, orphans = group(46)
  test.equal(orphans, {})
  local held = group(47)  -- here it is one of the model's own
  test.ok(held["model.layers.46.input_layernorm"].tensors.weight)
end)

test("an activation that nobody knows is refused by name", function()
  local err = test.raises("activation 'snake', which nothing here can run", function()
    modules("llama", { hidden_act = "snake" })
  end)
  test.equal(err.kind, "unsupported")
end)

test("a transposed linear lists its weight as it is stored, and its bias by its outputs", function()
  local listed = by_name(modules("gpt2", { n_layer = 1, n_embd = 8, n_head = 2 }))
  local fused = listed["transformer.h.0.attn.c_attn"]
  test.equal(fused.class, "Conv1D")
  test.equal(fused.shape, { 8, 24 })
  test.equal(fused.parameters[2].shape, { 24 })
  test.equal({ fused.in_features, fused.out_features }, { 8, 24 })
end)

test("a model that wraps a text model is named with it", function()
  local Subject = require "qspec.subject"
  local function ask(raw)
    return function() return Subject.new({ name = "x", config = raw }).architecture end
  end
  test.raises("model_type 'mistral3' is a text model %('mistral'%) beside others",
    ask { model_type = "mistral3", text_config = { model_type = "mistral" } })
  test.raises("model_type 'newvl' is a text model beside others",
    ask { model_type = "newvl", text_config = {} })
  test.raises("unknown model_type 'newvl'", ask { model_type = "newvl", text_config = "none" })
end)

test("a block that layers share is listed in each, and its weights belong to the first", function()
  local listed = by_name(modules("zamba2", { hidden_size = 64, num_hidden_layers = 5,
    num_attention_heads = 4, num_mem_blocks = 2, adapter_rank = 3,
    layers_block_type = { "mamba", "hybrid", "hybrid", "hybrid", "mamba" } }))
  local function tie(index)
    return listed[("model.layers.%d.shared_transformer.self_attn.q_proj"):format(index)].tied_to
  end
  test.equal(tie(1), nil)
  test.equal(tie(2), nil)
  test.equal(tie(3), "model.layers.1.shared_transformer.self_attn.q_proj")
  test.equal(listed["model.layers.3.linear"].tied_to, nil)
end)

test("one list says of each layer whether it has experts, and must be long enough", function()
  local raw = { num_hidden_layers = 2, mlp_layer_types = { "sparse", "dense" }, head_dim = 64 }
  local listed = by_name(modules("exaone_moe", raw))
  test.ok(listed["model.layers.0.mlp.gate"])
  test.ok(listed["model.layers.1.mlp.gate_proj"])
  raw.mlp_layer_types = { "sparse" }
  test.raises("mlp_layer_types", function() modules("exaone_moe", raw) end)
end)
