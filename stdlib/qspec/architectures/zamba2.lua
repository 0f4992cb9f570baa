-- Zamba2: Mamba 2 in every layer, and before some of them one of a few transformer blocks that
-- these layers share, with adapters of their own. Listed, not run.

local blocks = require "qspec.outline.blocks"
local shared_blocks = require "qspec.outline.shared_blocks"
local zamba_like = require "qspec.outline.zamba_like"

-- An adapter for each layer that has this block: two linears.
local function adapters(listing, name, c, count, block, sizes)
  for index = 0, count - 1 do
    if index % c.num_mem_blocks == block then
      local prefix = ("%s.%d."):format(name, index)
      listing:linear(prefix .. "0", sizes[1], c.adapter_rank, false)
      listing:linear(prefix .. "1", c.adapter_rank, sizes[2], false)
    end
  end
end

local function transformer(listing, name, c, norm, count, block)
  local wide, heads = 2 * c.hidden_size, c.num_attention_heads
  local attention, feed_forward = name .. "self_attn.", name .. "feed_forward."
  blocks.attention(listing, attention, { width = wide, heads = heads,
    kv_heads = c.num_key_value_heads or heads, head_width = zamba_like.head_width(c),
    out_width = c.hidden_size })
  if c.use_shared_attention_adapter then
    for _, part in ipairs { "q", "k", "v" } do
      adapters(listing, attention .. "linear_" .. part .. "_adapter_list", c, count, block,
        { wide, wide })
    end
  end
  listing:linear(feed_forward .. "gate_up_proj", c.hidden_size, 2 * c.intermediate_size,
    c.add_bias_linear)
  listing:linear(feed_forward .. "down_proj", c.intermediate_size, c.hidden_size,
    c.add_bias_linear)
  adapters(listing, feed_forward .. "gate_up_proj_adapter_list", c, count, block,
    { c.hidden_size, 2 * c.intermediate_size })
  norm(name .. "input_layernorm", wide)
  norm(name .. "pre_ff_layernorm")
end

local function mixer(listing, prefix, c)
  local inner = c.mamba_expand * c.hidden_size
  blocks.mamba2(listing, prefix, { width = c.hidden_size, inner = inner, heads = c.n_mamba_heads,
    groups = c.mamba_ngroups, state = c.mamba_d_state, kernel = c.mamba_d_conv,
    bias = c.add_bias_linear, conv_bias = c.use_conv_bias, norm = "Zamba2RMSNormGated" })
end

local DEFAULTS = { vocab_size = 32000, hidden_size = 2560, num_hidden_layers = 54,
  num_attention_heads = 32, mamba_d_state = 64, mamba_d_conv = 4, mamba_expand = 2,
  mamba_ngroups = 1, n_mamba_heads = 8, use_conv_bias = true, add_bias_linear = false,
  num_mem_blocks = 1, use_shared_attention_adapter = false, adapter_rank = 128,
  use_mem_rope = false }

-- Where a config does not say: in the layer 6 and every sixth up to 42, then in 47 and 51.
local function is_usually_hybrid(index)
  return index == 47 or index == 51 or index > 0 and index <= 42 and index % 6 == 0
end

return zamba_like.architecture("Zamba2", {
  name = "zamba2",
  summary = "Zamba2 (listed, not run)",
  model_types = { "zamba2" },
  config = zamba_like.config(DEFAULTS, { mamba_ngroups = "count", use_conv_bias = "boolean",
    add_bias_linear = "boolean", num_mem_blocks = "count", adapter_rank = "count",
    use_shared_attention_adapter = "boolean", use_mem_rope = "boolean" }),
  outline = function(c)
    c.intermediate_size = c.intermediate_size or 4 * c.hidden_size
    return zamba_like.outline(c, "Zamba2", { is_hybrid = is_usually_hybrid, mixer = mixer,
      rotary = c.use_mem_rope, shared = function()
        return shared_blocks.of("shared_transformer.", c.num_mem_blocks, transformer)
      end })
  end,
})
