-- Hunyuan dense: LLaMA with norms of each head behind the rotation.

local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("HunYuanDenseV1", {
  name = "hunyuan_v1_dense",
  summary = "Hunyuan 0.5b to 7b",
  model_types = { "hunyuan_v1_dense" },
  config = llama_like.config {
    defaults = { vocab_size = 290943, hidden_size = 4096, intermediate_size = 11008,
      num_hidden_layers = 32, num_attention_heads = 32, rms_norm_eps = 1e-5 },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "HunYuanDenseV1")
    local attention = described.attention
    attention.norm = llama_like.head_norm(described, "self_attn.query_layernorm",
      "self_attn.key_layernorm")
    attention.norm.after_rope, described.mlp.bias = true, false
    return described
  end,
})
