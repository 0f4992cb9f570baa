-- Seed-OSS: LLaMA with biases on queries, keys and values.

local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("SeedOss", {
  name = "seed_oss",
  summary = "Seed-OSS",
  model_types = { "seed_oss" },
  config = llama_like.config {
    defaults = { vocab_size = 155136, hidden_size = 4096, intermediate_size = 27648,
      num_hidden_layers = 64, num_attention_heads = 80, num_key_value_heads = 8, head_dim = 128,
      max_position_embeddings = 524288, attention_bias = true, attention_out_bias = false },
    types = { attention_out_bias = "boolean" },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "SeedOss")
    described.attention.out_bias = c.attention_out_bias
    return described
  end,
})
