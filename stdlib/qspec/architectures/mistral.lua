-- Mistral: LLaMA with a window over the last tokens on every layer. A config that does not mention
-- the window has one of 4096; null is none.

local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("Mistral", {
  name = "mistral",
  summary = "Mistral 7B, Nemo and their kin",
  model_types = { "mistral" },
  config = llama_like.config {
    defaults = { vocab_size = 32000, hidden_size = 4096, intermediate_size = 14336,
      num_hidden_layers = 32, num_attention_heads = 32, num_key_value_heads = 8,
      max_position_embeddings = 131072, sliding_window = 4096 },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Mistral")
    described.attention.bias, described.mlp.bias = false, false
    described.attention.window = c.sliding_window
    return described
  end,
})
