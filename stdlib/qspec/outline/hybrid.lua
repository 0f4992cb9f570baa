-- Hybrids in LLaMA's names: layers of attention among layers that keep another state.

local blocks = require "qspec.outline.blocks"
local llama_like = require "qspec.decoder.llama_like"
local rope = require "qspec.decoder.rope"

local M = {}

--- The outline.
---@param c table config
---@param prefix string of the names of classes
---@param o {refusal: string, final_norm: string, layer: fun(listing: qspec.Listing, name: string,
---  index: integer, norm: fun(name: string, width: integer|nil)), rotary: table|boolean|nil}
---  rotary: what rope.read takes beside the config, and `class` where it is not prefix ..
---  "RotaryEmbedding"; or nothing for a model without positions
function M.outline(c, prefix, o)
  local rotary = o.rotary and llama_like.rotary(prefix, rope.read(c, o.rotary))
  if rotary then rotary.class = o.rotary.class or rotary.class end
  return { layers = c.num_hidden_layers, refusal = o.refusal, list = function(listing)
    local norm = blocks.norms(listing, prefix .. "RMSNorm", c.hidden_size)
    listing:embedding("model.embed_tokens", c.vocab_size, c.hidden_size)
    for index = 0, c.num_hidden_layers - 1 do
      o.layer(listing, ("model.layers.%d."):format(index), index, norm)
    end
    norm(o.final_norm)
    if rotary then listing:buffers(rotary.name, rotary.class, rotary.buffers) end
    listing:plain_linear("lm_head", c.hidden_size, c.vocab_size, false)
  end }
end

return M
