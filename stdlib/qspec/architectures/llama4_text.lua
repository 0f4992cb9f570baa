-- Llama 4, the text model: layers that look within chunks and have positions, others that look at
-- all and have none; experts that are given their share of the input, beside a shared one.

local config_values = require "qspec.config_values"
local llama_like = require "qspec.decoder.llama_like"
local rope = require "qspec.decoder.rope"

local function one_each(c, key)
  if #c[key] >= c.num_hidden_layers then return end
  config_values.refuse(key, #c[key], ("one of each of %d layers"):format(c.num_hidden_layers))
end

-- Whether a layer has rotary positions; the config's list says it by 1 and 0.
local function has_positions(c)
  local listed = c.no_rope_layers
  if not listed or #listed == 0 then
    return function(index) return (index + 1) % c.no_rope_layer_interval ~= 0 end
  end
  one_each(c, "no_rope_layers")
  return function(index) return listed[index + 1] ~= 0 end
end

local function chunks(c, positions)
  local types = c.layer_types
  if types then one_each(c, "layer_types") end
  return function(index)
    local in_chunks = positions(index)
    if types then in_chunks = types[index + 1] == "chunked_attention" end
    return in_chunks and c.attention_chunk_size or nil
  end
end

local function has_experts(c)
  local listed = {}
  for _, index in ipairs(c.moe_layers or {}) do listed[index] = true end
  return function(index)
    if c.moe_layers then return listed[index] end
    return (index + 1) % c.interleave_moe_layer_step == 0
  end
end

local function mixture(c)
  local described = llama_like.experts(c, "Llama4Text", { score = "top_then_sigmoid",
    count = c.num_local_experts, width = c.intermediate_size,
    router = { weight = "feed_forward.router", class = "Llama4Router" } })
  local e = described.experts
  e.gate_up, e.down = "feed_forward.experts.gate_up_proj", "feed_forward.experts.down_proj"
  e.transposed, e.share_first, e.parts = true, true, nil
  described.shared = llama_like.shared(c, "feed_forward.shared_expert", c.intermediate_size)
  return described
end

local function feed_forward(c)
  local sparse, by_experts = mixture(c), has_experts(c)
  local dense = llama_like.shared(c, "feed_forward", c.intermediate_size_mlp)
  return function(index) return by_experts(index) and sparse or dense end
end

local function frequencies(c)
  return rope.read(c, { head_width = llama_like.head_width(c), theta = 500000,
    style = "neighbours", precise = true, precise_table = true })
end

return llama_like.architecture("Llama4Text", {
  name = "llama4_text",
  summary = "Llama 4, text models",
  model_types = { "llama4_text" },
  class = "Llama4ForCausalLM",
  config = llama_like.config {
    defaults = { vocab_size = 202048, hidden_size = 5120, intermediate_size = 8192,
      intermediate_size_mlp = 16384, num_hidden_layers = 48, num_attention_heads = 40,
      num_key_value_heads = 8, head_dim = 128, max_position_embeddings = 131072,
      rms_norm_eps = 1e-5, num_experts_per_tok = 1, num_local_experts = 16,
      interleave_moe_layer_step = 1, use_qk_norm = true, no_rope_layer_interval = 4,
      attention_chunk_size = 8192, attn_temperature_tuning = true, floor_scale = 8192,
      attn_scale = 0.1 },
    types = { intermediate_size_mlp = "count", num_experts_per_tok = "count",
      num_local_experts = "count", moe_layers = "table", interleave_moe_layer_step = "count",
      use_qk_norm = "boolean", no_rope_layers = "table", no_rope_layer_interval = "count",
      attention_chunk_size = "count", attn_temperature_tuning = "boolean",
      floor_scale = "count", attn_scale = "number" },
    nullable = { "attention_chunk_size", "moe_layers", "no_rope_layers", "layer_types" },
  },
  decoder = function(c)
    local positions, found = has_positions(c), frequencies(c)
    local described = llama_like.decoder(c, "Llama4Text", { rope = found })
    local attention = described.attention
    attention.rope = function(index) return positions(index) and found or nil end
    attention.chunk = chunks(c, positions)
    attention.norm = c.use_qk_norm and { q = "self_attn.qk_norm", k = "self_attn.qk_norm",
      kind = "rms_norm_bare", eps = c.rms_norm_eps, over = "head", after_rope = true,
      layers = positions } or nil
    attention.temperature = c.attn_temperature_tuning and { beta = c.attn_scale,
      original = c.floor_scale, first = 1, precise = true,
      layers = function(index) return not positions(index) end } or nil
    described.mlp = feed_forward(c)
    return described
  end,
})
