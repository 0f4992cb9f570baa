-- StarCoder2: layer norms and biases everywhere, a plain MLP, a window on every layer.

local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("Starcoder2", {
  name = "starcoder2",
  summary = "StarCoder2",
  model_types = { "starcoder2" },
  config = llama_like.config {
    defaults = { vocab_size = 49152, hidden_size = 3072, intermediate_size = 12288,
      num_hidden_layers = 30, num_attention_heads = 24, num_key_value_heads = 2,
      hidden_act = "gelu_pytorch_tanh", max_position_embeddings = 4096, norm_epsilon = 1e-5,
      use_bias = true, tie_word_embeddings = true },
    types = { norm_epsilon = "number", use_bias = "boolean" },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Starcoder2")
    described.norm = { kind = "layer_norm", eps = c.norm_epsilon }
    described.attention.bias, described.attention.window = c.use_bias, c.sliding_window
    described.mlp = llama_like.plain_mlp(c, "mlp.c_fc", "mlp.c_proj", c.use_bias)
    return described
  end,
})
