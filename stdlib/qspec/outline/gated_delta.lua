-- Qwen's hybrids: gated delta nets, and gated attention in some layers.

local blocks = require "qspec.outline.blocks"

local M = {}

M.types = { linear_conv_kernel_dim = "count", linear_key_head_dim = "count",
  linear_value_head_dim = "count", linear_num_key_heads = "count",
  linear_num_value_heads = "count", full_attention_interval = "count" }

M.defaults = { linear_conv_kernel_dim = 4, linear_key_head_dim = 128,
  linear_value_head_dim = 128, linear_num_key_heads = 16, linear_num_value_heads = 32,
  full_attention_interval = 4 }

--- Whether a layer has attention.
function M.is_attention(c, index)
  if c.layer_types then return c.layer_types[index + 1] == "full_attention" end
  return (index + 1) % c.full_attention_interval == 0
end

--- Attention whose queries bring a gate each.
function M.attention(listing, name, c, norm)
  local o = blocks.attention_of(c)
  o.q_rows = 2 * o.heads * o.head_width
  blocks.attention(listing, name .. "self_attn.", o)
  norm(name .. "self_attn.q_norm", o.head_width)
  norm(name .. "self_attn.k_norm", o.head_width)
end

--- A gated delta net.
---@param project fun(width: integer, keys: integer, values: integer, heads: integer) lists the
---  projections into it
function M.delta_net(listing, prefix, c, norm_class, project)
  local heads, width = c.linear_num_value_heads, c.hidden_size
  local keys = c.linear_num_key_heads * c.linear_key_head_dim
  local values = heads * c.linear_value_head_dim
  listing:parameter(prefix .. "dt_bias", { heads })
  listing:parameter(prefix .. "A_log", { heads })
  listing:convolution(prefix .. "conv1d", 2 * keys + values, c.linear_conv_kernel_dim, false)
  project(width, keys, values, heads)
  listing:norm(prefix .. "norm", { kind = "rms_norm", class = norm_class },
    { c.linear_value_head_dim })
  listing:linear(prefix .. "out_proj", values, width, false)
end

return M
