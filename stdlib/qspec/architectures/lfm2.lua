-- LFM2: gated short convolutions, attention in some layers. Listed, not run.

local blocks = require "qspec.outline.blocks"
local hybrid = require "qspec.outline.hybrid"
local llama_like = require "qspec.decoder.llama_like"

local function has_attention(c)
  local listed = {}
  for _, index in ipairs(c.full_attn_idxs or {}) do listed[index] = true end
  return function(index)
    if c.layer_types then return c.layer_types[index + 1] == "full_attention" end
    return c.full_attn_idxs == nil or listed[index] == true
  end
end

-- Two thirds of what the config says, up to a whole number of blocks.
local function inner_width(c)
  local width = c.block_ff_dim or c.intermediate_size
  if not c.block_auto_adjust_ff_dim then return width end
  width = math.floor(2 * width / 3)
  width = math.floor((c.block_ffn_dim_multiplier or 1) * width)
  return c.block_multiple_of * math.ceil(width / c.block_multiple_of)
end

local function attention(listing, name, c, norm)
  local o = blocks.attention_of(c)
  o.out = "out_proj"
  blocks.attention(listing, name .. "self_attn.", o)
  norm(name .. "self_attn.q_layernorm", o.head_width)
  norm(name .. "self_attn.k_layernorm", o.head_width)
end

local function convolution(listing, prefix, c)
  local width = c.hidden_size
  listing:convolution(prefix .. "conv", width, c.conv_L_cache, c.conv_bias)
  listing:linear(prefix .. "in_proj", width, 3 * width, c.conv_bias)
  listing:linear(prefix .. "out_proj", width, width, c.conv_bias)
end

local function layer(listing, name, is_attention, norm, c)
  if is_attention then
    attention(listing, name, c, norm)
  else
    convolution(listing, name .. "conv.", c)
  end
  local inner = inner_width(c)
  listing:linear(name .. "feed_forward.w1", c.hidden_size, inner, false)
  listing:linear(name .. "feed_forward.w3", c.hidden_size, inner, false)
  listing:linear(name .. "feed_forward.w2", inner, c.hidden_size, false)
  norm(name .. "operator_norm")
  norm(name .. "ffn_norm")
end

return llama_like.architecture("Lfm2", {
  name = "lfm2",
  summary = "LFM2 (listed, not run)",
  model_types = { "lfm2" },
  config = llama_like.config {
    aliases = { tie_embedding = "tie_word_embeddings" },
    defaults = { vocab_size = 65536, hidden_size = 2560, intermediate_size = 12288,
      num_hidden_layers = 32, num_attention_heads = 32, num_key_value_heads = 8,
      max_position_embeddings = 128000, rope_theta = 1e6, tie_word_embeddings = true,
      conv_bias = false, conv_L_cache = 3, block_multiple_of = 256, block_ffn_dim_multiplier = 1,
      block_auto_adjust_ff_dim = true },
    types = { conv_bias = "boolean", conv_L_cache = "count", block_multiple_of = "count",
      block_ffn_dim_multiplier = "number", block_auto_adjust_ff_dim = "boolean",
      block_ff_dim = "count", full_attn_idxs = "table" },
    nullable = { "block_ffn_dim_multiplier", "full_attn_idxs", "layer_types" },
  },
  outline = function(c)
    local is_attention = has_attention(c)
    return hybrid.outline(c, "Lfm2", {
      refusal = "layers of gated short convolutions (Lfm2ShortConv)",
      final_norm = "model.embedding_norm", rotary = { head_width = llama_like.head_width(c) },
      layer = function(listing, name, index, norm)
        layer(listing, name, is_attention(index), norm, c)
      end })
  end,
})
