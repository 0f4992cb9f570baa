-- Ministral: Mistral with a window on some layers only.

local layer_types = require "qspec.decoder.layer_types"
local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("Ministral", {
  name = "ministral",
  summary = "Ministral 8B",
  model_types = { "ministral" },
  config = llama_like.config {
    defaults = { vocab_size = 32000, hidden_size = 4096, intermediate_size = 14336,
      num_hidden_layers = 32, num_attention_heads = 32, num_key_value_heads = 8,
      max_position_embeddings = 131072, sliding_window = 4096 },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Ministral")
    described.attention.bias, described.mlp.bias = false, false
    described.attention.window = layer_types.windows(c, layer_types.read(c, function()
      return c.sliding_window ~= nil
    end))
    return described
  end,
})
