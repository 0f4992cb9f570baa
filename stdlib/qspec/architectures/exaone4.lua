-- EXAONE 4: norms behind attention and MLP only, and of each head. Of a model with windows, the
-- layers without one know no positions.

local layer_types = require "qspec.decoder.layer_types"
local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("Exaone4", {
  name = "exaone4",
  summary = "EXAONE 4",
  model_types = { "exaone4" },
  config = llama_like.config {
    defaults = { vocab_size = 102400, hidden_size = 4096, intermediate_size = 16384,
      num_hidden_layers = 32, num_attention_heads = 32, num_key_value_heads = 32,
      rms_norm_eps = 1e-5, sliding_window = 4096, sliding_window_pattern = 4 },
    types = { sliding_window_pattern = "count" },
    nullable = { "sliding_window_pattern" },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Exaone4")
    described.block = { post1 = "post_attention_layernorm", post2 = "post_feedforward_layernorm",
      order = { "attention", "mlp", "post1", "post2" } }
    local attention = described.attention
    attention.bias, described.mlp.bias = false, false
    attention.norm = llama_like.head_norm(described)
    layer_types.positions_in_windows(c, attention)
    return described
  end,
})
