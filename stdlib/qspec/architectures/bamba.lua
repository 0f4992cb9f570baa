-- Bamba: Mamba 2, attention in some layers. Listed, not run.

local blocks = require "qspec.outline.blocks"
local hybrid = require "qspec.outline.hybrid"
local llama_like = require "qspec.decoder.llama_like"

local function layer(listing, name, is_attention, norm, c)
  blocks.mlp(listing, name .. "feed_forward.", c.hidden_size, c.intermediate_size, c.mlp_bias)
  norm(name .. "input_layernorm")
  norm(name .. "pre_ff_layernorm")
  if is_attention then
    blocks.attention(listing, name .. "self_attn.", blocks.attention_of(c))
  else
    blocks.mamba2(listing, name .. "mamba.", blocks.mamba2_of(c, "BambaRMSNormGated"))
  end
end

return llama_like.architecture("Bamba", {
  name = "bamba",
  summary = "Bamba (listed, not run)",
  model_types = { "bamba" },
  config = llama_like.config {
    defaults = blocks.merged(blocks.mamba2_defaults, { vocab_size = 128000, hidden_size = 4096,
      intermediate_size = 14336, num_hidden_layers = 32, num_attention_heads = 32,
      num_key_value_heads = 8, max_position_embeddings = 262144 }),
    types = blocks.merged(blocks.mamba2_types, { attn_layer_indices = "table" }),
    nullable = { "attn_layer_indices" },
  },
  outline = function(c)
    local listed = {}
    for _, index in ipairs(c.attn_layer_indices or {}) do listed[index] = true end
    c.partial_rotary_factor = 0.5
    return hybrid.outline(c, "Bamba", { refusal = "layers of selective state spaces (BambaMixer)",
      final_norm = "model.final_layernorm",
      rotary = { head_width = llama_like.head_width(c), share = 0.5 },
      layer = function(listing, name, index, norm)
        layer(listing, name, listed[index], norm, c)
      end })
  end,
})
