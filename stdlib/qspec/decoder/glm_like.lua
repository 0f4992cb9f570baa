-- What GLM and GLM-4 share.

local llama_like = require "qspec.decoder.llama_like"
local rope = require "qspec.decoder.rope"

local M = {}

M.defaults = { vocab_size = 151552, hidden_size = 4096, intermediate_size = 13696,
  num_hidden_layers = 40, num_attention_heads = 32, num_key_value_heads = 2, head_dim = 128,
  max_position_embeddings = 131072, rms_norm_eps = 1.5625e-07, attention_bias = true,
  partial_rotary_factor = 0.5 }

--- The decoder's table.
function M.decoder(c, prefix)
  local described = llama_like.decoder(c, prefix, { rope = rope.read(c, {
    head_width = llama_like.head_width(c), style = "neighbours" }) })
  described.attention.out_bias = false
  described.mlp = llama_like.fused_mlp(c)
  return described
end

return M
