-- LLaMA 1 to 3: what most later decoders started from.

local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("Llama", {
  name = "llama",
  summary = "LLaMA, Llama 2 and Llama 3",
  model_types = { "llama" },
  config = llama_like.config {
    defaults = { vocab_size = 32000, hidden_size = 4096, intermediate_size = 11008,
      num_hidden_layers = 32, num_attention_heads = 32, pretraining_tp = 1 },
    types = { pretraining_tp = "count" },
  },
  decoder = function(c) return llama_like.decoder(c, "Llama") end,
})
