-- Qwen3.5: gated delta nets with a projection for each of what they take.

local gated_delta = require "qspec.outline.gated_delta"
local hybrid = require "qspec.outline.hybrid"
local llama_like = require "qspec.decoder.llama_like"
local mlp = require "qspec.decoder.mlp"

local M = {}

local function delta_net(listing, prefix, c, class)
  gated_delta.delta_net(listing, prefix, c, class .. "RMSNormGated",
    function(width, keys, values, heads)
      listing:linear(prefix .. "in_proj_qkv", width, 2 * keys + values, false)
      listing:linear(prefix .. "in_proj_z", width, values, false)
      listing:linear(prefix .. "in_proj_b", width, heads, false)
      listing:linear(prefix .. "in_proj_a", width, heads, false)
    end)
end

--- The outline.
---@param c table config
---@param class string of the names of classes
---@param feed_forward table an MLP of the decoder's options
function M.outline(c, class, feed_forward)
  return hybrid.outline(c, class, {
    refusal = ("layers of gated delta nets (%sGatedDeltaNet)"):format(class),
    final_norm = "model.norm",
    rotary = { head_width = llama_like.head_width(c), share = 0.25,
      class = class .. "TextRotaryEmbedding" },
    layer = function(listing, name, index, norm)
      if gated_delta.is_attention(c, index) then
        gated_delta.attention(listing, name, c, norm)
      else
        delta_net(listing, name .. "linear_attn.", c, class)
      end
      mlp.list_of(listing, name, feed_forward, c.hidden_size)
      norm(name .. "input_layernorm")
      norm(name .. "post_attention_layernorm")
    end })
end

return M
