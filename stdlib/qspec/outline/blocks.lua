-- What the outlines of several architectures have in common.

local config_values = require "qspec.config_values"

local M = {}

--- A value that a config may leave to be computed.
---@param c table config
---@param key string
---@param computed number where the config says nothing or "auto"
function M.auto(c, key, computed)
  if c[key] == nil or c[key] == "auto" then return computed end
  config_values.check({ [key] = "count" }, c)
  return c[key]
end

--- A mixer of Mamba: selective state spaces with a diagonal of their own for each channel.
---@param o {width: integer, inner: integer, state: integer, rank: integer, kernel: integer,
---  bias: boolean, conv_bias: boolean}
function M.mamba(listing, prefix, o)
  listing:parameter(prefix .. "A_log", { o.inner, o.state })
  listing:parameter(prefix .. "D", { o.inner })
  listing:convolution(prefix .. "conv1d", o.inner, o.kernel, o.conv_bias)
  listing:linear(prefix .. "in_proj", o.width, 2 * o.inner, o.bias)
  listing:linear(prefix .. "x_proj", o.inner, o.rank + 2 * o.state, false)
  listing:linear(prefix .. "dt_proj", o.rank, o.inner, true)
  listing:linear(prefix .. "out_proj", o.inner, o.width, o.bias)
end

--- A mixer of Mamba 2: one number a head in the place of the diagonal.
---@param o {width: integer, inner: integer, heads: integer, groups: integer, state: integer,
---  kernel: integer, bias: boolean, conv_bias: boolean, norm: string|nil} norm: its class
function M.mamba2(listing, prefix, o)
  local mixed = o.inner + 2 * o.groups * o.state
  for _, name in ipairs { "dt_bias", "A_log", "D" } do
    listing:parameter(prefix .. name, { o.heads })
  end
  listing:convolution(prefix .. "conv1d", mixed, o.kernel, o.conv_bias)
  listing:linear(prefix .. "in_proj", o.width, o.inner + mixed + o.heads, o.bias)
  if o.norm then
    listing:norm(prefix .. "norm", { kind = "rms_norm", class = o.norm }, { o.inner })
  end
  listing:linear(prefix .. "out_proj", o.inner, o.width, o.bias)
end

--- A Mamba 2 mixer by the keys that hybrid models share.
---@param c table config
---@param norm string|nil class of its norm
---@param inner integer|nil where it is not mamba_expand times the width
function M.mamba2_of(c, norm, inner)
  return { width = c.hidden_size, inner = inner or c.mamba_expand * c.hidden_size,
    heads = c.mamba_n_heads, groups = c.mamba_n_groups, state = c.mamba_d_state,
    kernel = c.mamba_d_conv, bias = c.mamba_proj_bias, conv_bias = c.mamba_conv_bias,
    norm = norm }
end

M.mamba2_types = { mamba_n_heads = "count", mamba_n_groups = "count", mamba_d_state = "count",
  mamba_d_conv = "count", mamba_expand = "count", mamba_conv_bias = "boolean",
  mamba_proj_bias = "boolean" }

M.mamba2_defaults = { mamba_n_heads = 128, mamba_n_groups = 1, mamba_d_state = 256,
  mamba_d_conv = 4, mamba_expand = 2, mamba_conv_bias = true, mamba_proj_bias = false }

--- Projections of attention.
---@param o {width: integer, heads: integer, kv_heads: integer, head_width: integer,
---  bias: boolean|nil, out: string|nil, out_bias: boolean|nil, out_width: integer|nil,
---  q_rows: integer|nil}
function M.attention(listing, prefix, o)
  local q, kv = o.heads * o.head_width, o.kv_heads * o.head_width
  local bias = o.bias or false
  listing:linear(prefix .. "q_proj", o.width, o.q_rows or q, bias)
  listing:linear(prefix .. "k_proj", o.width, kv, bias)
  listing:linear(prefix .. "v_proj", o.width, kv, bias)
  listing:linear(prefix .. (o.out or "o_proj"), q, o.out_width or o.width, o.out_bias or bias)
end

--- Attention by the keys that most configs share.
function M.attention_of(c)
  local width = c.head_dim or config_values.quotient(c, "hidden_size", "num_attention_heads")
  return { width = c.hidden_size, heads = c.num_attention_heads,
    kv_heads = c.num_key_value_heads or c.num_attention_heads, head_width = width,
    bias = c.attention_bias or false }
end

--- A gated MLP.
function M.mlp(listing, prefix, width, inner, bias)
  listing:linear(prefix .. "gate_proj", width, inner, bias or false)
  listing:linear(prefix .. "up_proj", width, inner, bias or false)
  listing:linear(prefix .. "down_proj", inner, width, bias or false)
end

--- A function that lists norms of one class.
---@param class string
---@param width integer
---@return fun(name: string, width: integer|nil)
function M.norms(listing, class, width)
  return function(name, other) listing:norm(name, { kind = "rms_norm", class = class },
    { other or width }) end
end

--- Fields of the second over those of the first.
function M.merged(base, more)
  local all = {}
  for key, value in pairs(base) do all[key] = value end
  for key, value in pairs(more or {}) do all[key] = value end
  return all
end

return M
