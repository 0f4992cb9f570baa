-- Code World Model: LLaMA with a window on three of four layers, the first of four without.

local layer_types = require "qspec.decoder.layer_types"
local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("Cwm", {
  name = "cwm",
  summary = "Code World Model",
  model_types = { "cwm" },
  config = llama_like.config {
    defaults = { vocab_size = 128256, hidden_size = 6144, intermediate_size = 21504,
      num_hidden_layers = 64, num_attention_heads = 48, num_key_value_heads = 8, head_dim = 128,
      max_position_embeddings = 131072, rms_norm_eps = 1e-5, sliding_window = 8192,
      rope_parameters = { rope_type = "llama3", rope_theta = 1e6, factor = 16,
        high_freq_factor = 4, low_freq_factor = 1, original_max_position_embeddings = 8192 } },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Cwm")
    described.attention.bias = false
    described.attention.window = layer_types.windows(c, layer_types.read(c, function(index)
      return index % 4 ~= 0
    end))
    return described
  end,
})
