-- Zamba: Mamba in every layer, and before every sixth one transformer block that they share.
-- Listed, not run.

local blocks = require "qspec.outline.blocks"
local shared_blocks = require "qspec.outline.shared_blocks"
local zamba_like = require "qspec.outline.zamba_like"

local function transformer(listing, name, c, norm)
  local wide, heads = 2 * c.hidden_size, c.num_attention_heads
  blocks.attention(listing, name .. "self_attn.", { width = wide, heads = heads,
    kv_heads = c.num_key_value_heads or heads, head_width = zamba_like.head_width(c),
    out_width = c.hidden_size })
  blocks.mlp(listing, name .. "feed_forward.", c.hidden_size, c.intermediate_size)
  norm(name .. "input_layernorm", wide)
  norm(name .. "pre_ff_layernorm")
end

-- Heads of the mixer have projections of their own, which are no linears.
local function mixer(listing, prefix, c)
  local inner, heads, state = c.mamba_expand * c.hidden_size, c.n_mamba_heads, c.mamba_d_state
  local rank = blocks.auto(c, "mamba_dt_rank", math.ceil(c.hidden_size / 16))
  local width = inner / heads
  for name, shape in pairs { x_proj_weight = { heads, rank + 2 * state, width },
    dt_proj_weight = { heads, width, rank }, dt_proj_bias = { heads, width },
    A_log = { heads, width, state }, D = { heads, width } } do
    listing:parameter(prefix .. name, shape)
  end
  listing:convolution(prefix .. "conv1d", inner, c.mamba_d_conv, c.mamba_conv_bias)
  listing:linear(prefix .. "in_proj", c.hidden_size, 2 * inner, c.mamba_proj_bias)
  listing:linear(prefix .. "out_proj", inner, c.hidden_size, c.mamba_proj_bias)
end

return zamba_like.architecture("Zamba", {
  name = "zamba",
  summary = "Zamba (listed, not run)",
  model_types = { "zamba" },
  config = zamba_like.config({ vocab_size = 32000, hidden_size = 3712, intermediate_size = 14848,
    num_hidden_layers = 76, num_attention_heads = 16, n_mamba_heads = 2, attn_layer_period = 6,
    attn_layer_offset = 4, mamba_d_state = 16, mamba_d_conv = 4, mamba_expand = 2,
    mamba_conv_bias = true, mamba_proj_bias = false }, { attn_layer_period = "count",
    attn_layer_offset = "whole", mamba_conv_bias = "boolean", mamba_proj_bias = "boolean" }),
  outline = function(c)
    return zamba_like.outline(c, "Zamba", { mixer = mixer,
      is_hybrid = function(index)
        return index == 2
          or index > 2 and (index - 3) % c.attn_layer_period == c.attn_layer_offset
      end,
      shared = function() return shared_blocks.of("shared_transf.", 1, transformer) end })
  end,
})
