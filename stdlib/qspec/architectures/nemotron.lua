-- Nemotron: layer norms whose stored weight is the distance from 1, a plain MLP of squared relus.

local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("Nemotron", {
  name = "nemotron",
  summary = "Nemotron 3 and 4, Minitron",
  model_types = { "nemotron" },
  config = llama_like.config {
    defaults = { vocab_size = 256000, hidden_size = 6144, intermediate_size = 24576,
      num_hidden_layers = 32, num_attention_heads = 48, hidden_act = "relu2",
      max_position_embeddings = 4096, norm_eps = 1e-5, partial_rotary_factor = 0.5 },
    types = { norm_eps = "number" },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Nemotron")
    described.norm = { kind = "layer_norm_plus_one", eps = c.norm_eps,
      class = "NemotronLayerNorm1P" }
    described.mlp = llama_like.plain_mlp(c, nil, nil, c.mlp_bias)
    return described
  end,
})
