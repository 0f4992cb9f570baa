-- Ministral 3: Mistral with queries that grow warmer with their position.

local llama_like = require "qspec.decoder.llama_like"

local YARN = { rope_type = "yarn", rope_theta = 1000000, factor = 16,
  original_max_position_embeddings = 16384, beta_fast = 32, beta_slow = 1, mscale = 1,
  mscale_all_dim = 1, llama_4_scaling_beta = 0.1 }

return llama_like.architecture("Ministral3", {
  name = "ministral3",
  summary = "Ministral 3",
  model_types = { "ministral3" },
  config = llama_like.config {
    defaults = { vocab_size = 131072, hidden_size = 4096, intermediate_size = 14336,
      num_hidden_layers = 34, num_attention_heads = 32, num_key_value_heads = 8, head_dim = 128,
      max_position_embeddings = 262144, rms_norm_eps = 1e-5, rope_parameters = YARN },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Ministral3")
    described.attention.bias, described.mlp.bias = false, false
    described.attention.window = c.sliding_window
    local given = c.rope_parameters
    if given.llama_4_scaling_beta then
      described.attention.temperature = { beta = given.llama_4_scaling_beta,
        original = given.original_max_position_embeddings }
    end
    return described
  end,
})
