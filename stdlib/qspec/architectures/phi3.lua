-- Phi-3 and Phi-4: LLaMA with fused projections, and a window on every layer when there is one.

local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("Phi3", {
  name = "phi3",
  summary = "Phi-3, Phi-3.5 and Phi-4",
  model_types = { "phi3" },
  config = llama_like.config {
    defaults = { vocab_size = 32064, hidden_size = 3072, intermediate_size = 8192,
      num_hidden_layers = 32, num_attention_heads = 32, max_position_embeddings = 4096,
      original_max_position_embeddings = 4096, rms_norm_eps = 1e-5 },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Phi3")
    local attention = described.attention
    attention.q, attention.k, attention.v = nil, nil, nil
    attention.fused, attention.layout = "self_attn.qkv_proj", "concat"
    attention.order = { "out", "fused" }
    attention.bias, attention.window = false, c.sliding_window
    described.mlp = llama_like.fused_mlp(c)
    return described
  end,
})
