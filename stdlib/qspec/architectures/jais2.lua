-- Jais 2: LLaMA with layer norms, biases, and a plain MLP of squared relus.

local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("Jais2", {
  name = "jais2",
  summary = "Jais 2",
  model_types = { "jais2" },
  config = llama_like.config {
    defaults = { vocab_size = 150272, hidden_size = 3328, intermediate_size = 26624,
      num_hidden_layers = 32, num_attention_heads = 26, hidden_act = "relu2", head_dim = 128,
      max_position_embeddings = 8192, layer_norm_eps = 1e-5, attention_bias = true,
      mlp_bias = true },
    types = { layer_norm_eps = "number" },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Jais2")
    described.norm = { kind = "layer_norm", eps = c.layer_norm_eps }
    described.mlp = llama_like.plain_mlp(c, nil, nil, c.mlp_bias)
    return described
  end,
})
