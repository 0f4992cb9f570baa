-- Gemma 3, the text model: norms of each head's queries and keys; five layers with a window and
-- quick rotary positions, then one without a window.

local gemma_like = require "qspec.decoder.gemma_like"
local layer_types = require "qspec.decoder.layer_types"
local llama_like = require "qspec.decoder.llama_like"
local rope = require "qspec.decoder.rope"

return gemma_like.architecture("Gemma3", {
  name = "gemma3_text",
  summary = "Gemma 3 (text)",
  model_types = { "gemma3_text" },
  config = gemma_like.config {
    defaults = { vocab_size = 262208, hidden_size = 2304, intermediate_size = 9216,
      num_hidden_layers = 26, num_attention_heads = 8, num_key_value_heads = 4,
      max_position_embeddings = 131072, query_pre_attn_scalar = 256, sliding_window = 4096,
      rope_theta = 1000000, rope_local_base_freq = 10000, sliding_window_pattern = 6 },
    types = { query_pre_attn_scalar = "number", final_logit_softcapping = "number",
      use_bidirectional_attention = "boolean", rope_local_base_freq = "number",
      sliding_window_pattern = "count" },
    nullable = { "final_logit_softcapping", "use_bidirectional_attention" },
  },
  decoder = function(c)
    local types = layer_types.read(c, function(index)
      return (index + 1) % c.sliding_window_pattern ~= 0
    end)
    local ropes = rope.by_type(c, { head_width = llama_like.head_width(c) },
      { sliding_attention = c.rope_local_base_freq, full_attention = c.rope_theta })
    local described = gemma_like.decoder(c, "Gemma3", c.hidden_activation,
      { rope = ropes.full_attention })
    gemma_like.between_norms(described)
    local attention = described.attention
    attention.rope = function(index) return ropes[types(index)] end
    attention.norm = llama_like.head_norm(described)
    attention.scale = 1 / math.sqrt(c.query_pre_attn_scalar)
    attention.window = layer_types.windows(c, types)
    described.constants.buffers = rope.buffers_by_type(ropes, function(type_of)
      return layer_types.has(c, types, type_of)
    end)
    described.head.softcap = c.final_logit_softcapping
    described.unsupported = c.use_bidirectional_attention and "use_bidirectional_attention" or nil
    return described
  end,
})
