-- Gemma 2: norms before and behind attention and MLP, a window on every second layer, logits kept
-- within a cap. The cap on attention scores has no effect in the attention that transformers takes
-- by default, and none here.

local gemma_like = require "qspec.decoder.gemma_like"
local layer_types = require "qspec.decoder.layer_types"

return gemma_like.architecture("Gemma2", {
  name = "gemma2",
  summary = "Gemma 2",
  model_types = { "gemma2" },
  config = gemma_like.config {
    defaults = { vocab_size = 256000, hidden_size = 2304, intermediate_size = 9216,
      num_hidden_layers = 26, num_attention_heads = 8, num_key_value_heads = 4,
      query_pre_attn_scalar = 256, sliding_window = 4096, final_logit_softcapping = 30 },
    types = { query_pre_attn_scalar = "number", final_logit_softcapping = "number",
      use_bidirectional_attention = "boolean" },
    nullable = { "final_logit_softcapping", "use_bidirectional_attention" },
  },
  decoder = function(c)
    local described = gemma_like.decoder(c, "Gemma2", c.hidden_activation)
    gemma_like.between_norms(described)
    local attention = described.attention
    attention.scale = 1 / math.sqrt(c.query_pre_attn_scalar)
    attention.window = layer_types.windows(c, layer_types.read(c, function(index)
      return index % 2 == 0
    end))
    described.head.softcap = c.final_logit_softcapping
    described.unsupported = c.use_bidirectional_attention and "use_bidirectional_attention" or nil
    return described
  end,
})
