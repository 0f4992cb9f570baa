-- What most decoders share since LLaMA: RMS norms before attention and MLP, projections of their
-- own for queries, keys and values, rotary positions, a gated MLP. An architecture starts from
-- here and changes what is different.

local config_values = require "qspec.config_values"
local rope = require "qspec.decoder.rope"

local M = {}

local TYPES = {
  vocab_size = "count", hidden_size = "count", intermediate_size = "count",
  num_hidden_layers = "count", num_attention_heads = "count", num_key_value_heads = "count",
  head_dim = "count", hidden_act = "string", rms_norm_eps = "number", attention_bias = "boolean",
  mlp_bias = "boolean", tie_word_embeddings = "boolean", sliding_window = "whole",
  layer_types = "table",
}

-- Fields of the second over those of the first.
local function merged(base, more)
  local all = {}
  for key, value in pairs(base) do all[key] = value end
  for key, value in pairs(more or {}) do all[key] = value end
  return all
end

--- What to declare of the config.
---@param o {defaults: table, types?: table, aliases?: table, nullable?: string[]}
function M.config(o)
  local nullable = { "num_key_value_heads", "head_dim", "sliding_window", "rope_scaling" }
  for _, name in ipairs(o.nullable or {}) do nullable[#nullable + 1] = name end
  return { aliases = o.aliases or {}, required = {}, nullable = nullable,
    defaults = merged({ hidden_act = "silu", tie_word_embeddings = false, attention_bias = false,
      mlp_bias = false, rms_norm_eps = 1e-6, max_position_embeddings = 2048 }, o.defaults),
    types = merged(merged(TYPES, rope.types), o.types) }
end

--- The fields of an architecture's file that follow from the names of its classes.
---@param prefix string "Qwen2"
function M.names(prefix)
  return { class = prefix .. "ForCausalLM", base_prefix = "model.", output = "lm_head",
    tied = { { "lm_head", "model.embed_tokens" } }, keep_in_fp32 = {}, keep_in_fp32_strict = {},
    ignored = { "rotary_emb%.inv_freq$" } }
end

--- The width of a head.
function M.head_width(c)
  return c.head_dim or config_values.quotient(c, "hidden_size", "num_attention_heads")
end

local function attention(c, o)
  local heads = c.num_attention_heads
  local kv_heads = c.num_key_value_heads or heads
  if heads % kv_heads ~= 0 then
    config_values.refuse("num_attention_heads", heads, ("a multiple of num_key_value_heads = %d")
      :format(kv_heads))
  end
  return { q = "self_attn.q_proj", k = "self_attn.k_proj", v = "self_attn.v_proj",
    out = "self_attn.o_proj", heads = heads, kv_heads = kv_heads, head_width = M.head_width(c),
    bias = c.attention_bias, rope = o.rope ~= false and (o.rope
      or rope.read(c, { head_width = M.head_width(c) })) or nil }
end

--- The module of rotary frequencies.
function M.rotary(prefix, frequencies)
  return { name = "model.rotary_emb", class = prefix .. "RotaryEmbedding",
    buffers = rope.buffers(frequencies) }
end

--- The decoder's table.
---@param c table config
---@param prefix string of the names of classes: "Qwen2"
---@param o {rope?: table|false}|nil what cannot be changed afterwards
function M.decoder(c, prefix, o)
  local described = {
    layers = c.num_hidden_layers, prefix = "model.layers.%d.",
    width = c.hidden_size, vocabulary = c.vocab_size,
    embed = { weight = "model.embed_tokens" },
    norm = { kind = "rms_norm", eps = c.rms_norm_eps, class = prefix .. "RMSNorm" },
    block = { norm1 = "input_layernorm", norm2 = "post_attention_layernorm",
      order = { "attention", "mlp", "norm1", "norm2" } },
    attention = attention(c, o or {}),
    mlp = { kind = "gated", gate = "mlp.gate_proj", up = "mlp.up_proj", down = "mlp.down_proj",
      width = c.intermediate_size, activation = c.hidden_act, bias = c.mlp_bias },
    final_norm = "model.norm",
    head = { weight = "lm_head" },
  }
  local frequencies = described.attention.rope
  if frequencies then described.constants = M.rotary(prefix, frequencies) end
  return described
end

--- A plain MLP in the place of the gated one.
function M.plain_mlp(c, up, down, bias)
  return { kind = "plain", up = up or "mlp.up_proj", down = down or "mlp.down_proj",
    width = c.intermediate_size, activation = c.hidden_act, bias = bias or false }
end

--- A gated MLP with gate and up in one.
function M.fused_mlp(c)
  return { kind = "gated_fused", gate_up = "mlp.gate_up_proj", down = "mlp.down_proj",
    width = c.intermediate_size, activation = c.hidden_act, bias = false }
end

--- An MLP of experts, as most later mixtures have it: each expert is gated, and files store them
--- apart.
---@param c table config
---@param prefix string of the names of classes
---@param o {score: string, count: integer, width: integer, normalize?: boolean, cast?: boolean,
---  router?: table, parts?: table}
function M.experts(c, prefix, o)
  local router = merged({ weight = "mlp.gate", class = prefix .. "TopKRouter", score = o.score,
    chosen = c.num_experts_per_tok, normalize = o.normalize or false, cast = o.cast or false },
    o.router)
  if router.chosen > o.count then
    config_values.refuse("num_experts_per_tok", router.chosen, ("at most the %d experts")
      :format(o.count))
  end
  return { kind = "experts", activation = c.hidden_act, router = router,
    experts = { gate_up = "mlp.experts.gate_up_proj", down = "mlp.experts.down_proj",
      class = prefix .. "Experts", count = o.count, width = o.width,
      parts = o.parts or { prefix = "mlp.experts.%d.", gate = "gate_proj", up = "up_proj",
        down = "down_proj" } } }
end

--- A shared gated MLP beside experts.
function M.shared(c, name, width)
  return { kind = "gated", gate = name .. ".gate_proj", up = name .. ".up_proj",
    down = name .. ".down_proj", width = width, activation = c.hidden_act, bias = false }
end

--- RMS norms of each head's queries and keys.
function M.head_norm(described, q, k)
  local norm = described.norm
  return { q = q or "self_attn.q_norm", k = k or "self_attn.k_norm", kind = norm.kind,
    eps = norm.eps, class = norm.class, over = "head" }
end

--- The dtype that buffers are loaded in.
function M.load_dtype(c)
  local dtype = c.dtype or c.torch_dtype
  return type(dtype) == "string" and dtype:gsub("^torch%.", "") or "float32"
end

--- An architecture's file, from what M.names gives and what it adds.
function M.architecture(prefix, fields)
  return merged(M.names(prefix), fields)
end

return M
