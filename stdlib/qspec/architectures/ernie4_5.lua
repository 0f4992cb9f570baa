-- ERNIE 4.5: LLaMA with rotary positions of neighbours in fp32.

local llama_like = require "qspec.decoder.llama_like"
local rope = require "qspec.decoder.rope"

return llama_like.architecture("Ernie4_5", {
  name = "ernie4_5",
  summary = "ERNIE 4.5",
  model_types = { "ernie4_5" },
  config = llama_like.config {
    defaults = { vocab_size = 103424, hidden_size = 1024, intermediate_size = 3072,
      num_hidden_layers = 18, num_attention_heads = 16, num_key_value_heads = 2, head_dim = 128,
      max_position_embeddings = 131072, rms_norm_eps = 1e-5, rope_theta = 500000,
      use_bias = false, tie_word_embeddings = true },
    types = { use_bias = "boolean" },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Ernie4_5", { rope = rope.read(c, {
      head_width = llama_like.head_width(c), style = "neighbours", precise = true,
      precise_table = true }) })
    described.attention.bias, described.mlp.bias = c.use_bias, c.use_bias
    return described
  end,
})
