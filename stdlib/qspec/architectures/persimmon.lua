-- Persimmon: layer norms, also of each head; a plain MLP of squared relus; half of a head rotates.

local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("Persimmon", {
  name = "persimmon",
  summary = "Persimmon 8b, Fuyu's language model",
  model_types = { "persimmon" },
  config = llama_like.config {
    defaults = { vocab_size = 262144, hidden_size = 4096, intermediate_size = 16384,
      num_hidden_layers = 36, num_attention_heads = 64, hidden_act = "relu2",
      max_position_embeddings = 16384, layer_norm_eps = 1e-5, qk_layernorm = true,
      partial_rotary_factor = 0.5 },
    types = { layer_norm_eps = "number", qk_layernorm = "boolean" },
  },
  decoder = function(c)
    c.num_key_value_heads = nil
    local described = llama_like.decoder(c, "Persimmon")
    described.norm = { kind = "layer_norm", eps = c.layer_norm_eps }
    local attention = described.attention
    attention.q, attention.k, attention.v = nil, nil, nil
    attention.fused, attention.layout = "self_attn.query_key_value", "per_head"
    attention.out, attention.bias = "self_attn.dense", true
    if c.qk_layernorm then
      attention.norm = llama_like.head_norm(described, "self_attn.q_layernorm",
        "self_attn.k_layernorm")
    end
    described.mlp = llama_like.plain_mlp(c, "mlp.dense_h_to_4h", "mlp.dense_4h_to_h", true)
    described.final_norm = "model.final_layernorm"
    return described
  end,
})
