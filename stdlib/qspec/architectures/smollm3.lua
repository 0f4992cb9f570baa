-- SmolLM3: every fourth layer knows no positions.

local config_values = require "qspec.config_values"
local layer_types = require "qspec.decoder.layer_types"
local llama_like = require "qspec.decoder.llama_like"

-- Whether a layer has rotary positions; the config's list says it by 1 and 0.
local function has_positions(c)
  local listed = c.no_rope_layers
  if not listed then
    return function(index) return (index + 1) % c.no_rope_layer_interval ~= 0 end
  end
  if #listed < c.num_hidden_layers then
    config_values.refuse("no_rope_layers", #listed, ("one of each of %d layers"):format(
      c.num_hidden_layers))
  end
  return function(index) return listed[index + 1] == 1 end
end

return llama_like.architecture("SmolLM3", {
  name = "smollm3",
  summary = "SmolLM3",
  model_types = { "smollm3" },
  config = llama_like.config {
    defaults = { vocab_size = 128256, hidden_size = 2048, intermediate_size = 11008,
      num_hidden_layers = 36, num_attention_heads = 16, num_key_value_heads = 4,
      max_position_embeddings = 32768, rope_theta = 2000000, no_rope_layer_interval = 4,
      use_sliding_window = false, tie_word_embeddings = true },
    types = { no_rope_layers = "table", no_rope_layer_interval = "count",
      use_sliding_window = "boolean" },
    nullable = { "no_rope_layers" },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "SmolLM3")
    local attention, positions = described.attention, has_positions(c)
    local frequencies = attention.rope
    attention.rope = function(index) return positions(index) and frequencies or nil end
    if c.use_sliding_window then
      attention.window = layer_types.windows(c, layer_types.read(c, function(index)
        return c.sliding_window ~= nil and not positions(index)
      end))
    end
    return described
  end,
})
