-- Qwen3: Qwen2 without biases, with norms of each head's queries and keys.

local layer_types = require "qspec.decoder.layer_types"
local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("Qwen3", {
  name = "qwen3",
  summary = "Qwen3",
  model_types = { "qwen3" },
  config = llama_like.config {
    defaults = { vocab_size = 151936, hidden_size = 4096, intermediate_size = 22016,
      num_hidden_layers = 32, num_attention_heads = 32, num_key_value_heads = 32, head_dim = 128,
      max_position_embeddings = 32768, use_sliding_window = false, sliding_window = 4096,
      max_window_layers = 28 },
    types = { use_sliding_window = "boolean", max_window_layers = "whole" },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Qwen3")
    described.attention.norm = llama_like.head_norm(described)
    described.mlp.bias = false
    if c.use_sliding_window then
      described.attention.window = layer_types.windows(c, layer_types.read(c, function(index)
        return c.sliding_window ~= nil and index >= c.max_window_layers
      end))
    end
    return described
  end,
})
