-- Arcee AFM: LLaMA with a plain MLP of squared relus.

local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("Arcee", {
  name = "arcee",
  summary = "Arcee AFM",
  model_types = { "arcee" },
  config = llama_like.config {
    defaults = { vocab_size = 32000, hidden_size = 2560, intermediate_size = 18432,
      num_hidden_layers = 32, num_attention_heads = 32, hidden_act = "relu2",
      max_position_embeddings = 4096, rms_norm_eps = 1e-5 },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Arcee")
    described.mlp = llama_like.plain_mlp(c, nil, nil, c.mlp_bias)
    return described
  end,
})
