-- VaultGemma: Gemma 2 with norms before attention and MLP alone.

local gemma_like = require "qspec.decoder.gemma_like"
local layer_types = require "qspec.decoder.layer_types"

return gemma_like.architecture("VaultGemma", {
  name = "vaultgemma",
  summary = "VaultGemma",
  model_types = { "vaultgemma" },
  config = gemma_like.config {
    defaults = { vocab_size = 256000, hidden_size = 2304, intermediate_size = 9216,
      num_hidden_layers = 26, num_attention_heads = 8, num_key_value_heads = 4,
      query_pre_attn_scalar = 256, sliding_window = 4096, final_logit_softcapping = 30 },
    types = { query_pre_attn_scalar = "number", final_logit_softcapping = "number" },
    nullable = { "final_logit_softcapping" },
  },
  decoder = function(c)
    local described = gemma_like.decoder(c, "VaultGemma", c.hidden_activation)
    described.block.norm2 = "pre_feedforward_layernorm"
    local attention = described.attention
    attention.scale = 1 / math.sqrt(c.query_pre_attn_scalar)
    attention.window = layer_types.windows(c, layer_types.read(c, function(index)
      return index % 2 == 0
    end))
    described.head.softcap = c.final_logit_softcapping
    return described
  end,
})
