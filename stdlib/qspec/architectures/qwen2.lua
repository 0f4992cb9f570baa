-- Qwen2 and Qwen2.5: LLaMA with biases on queries, keys and values.

local layer_types = require "qspec.decoder.layer_types"
local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("Qwen2", {
  name = "qwen2",
  summary = "Qwen2 and Qwen2.5",
  model_types = { "qwen2" },
  config = llama_like.config {
    defaults = { vocab_size = 151936, hidden_size = 4096, intermediate_size = 22016,
      num_hidden_layers = 32, num_attention_heads = 32, num_key_value_heads = 32,
      max_position_embeddings = 32768, use_sliding_window = false, sliding_window = 4096,
      max_window_layers = 28 },
    types = { use_sliding_window = "boolean", max_window_layers = "whole" },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Qwen2")
    described.attention.bias, described.attention.out_bias = true, false
    described.mlp.bias = false
    if c.use_sliding_window then
      described.attention.window = layer_types.windows(c, layer_types.read(c, function(index)
        return c.sliding_window ~= nil and index >= c.max_window_layers
      end))
    end
    return described
  end,
})
