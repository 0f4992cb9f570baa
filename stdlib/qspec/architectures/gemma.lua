-- Gemma: norms whose stored weight is the distance from 1, embeddings times the root of the width.

local gemma_like = require "qspec.decoder.gemma_like"

return gemma_like.architecture("Gemma", {
  name = "gemma",
  summary = "Gemma",
  model_types = { "gemma" },
  config = gemma_like.config {
    defaults = { vocab_size = 256000, hidden_size = 3072, intermediate_size = 24576,
      num_hidden_layers = 28, num_attention_heads = 16, num_key_value_heads = 16,
      hidden_act = "gelu_pytorch_tanh" },
  },
  decoder = function(c) return gemma_like.decoder(c, "Gemma", c.hidden_act) end,
})
