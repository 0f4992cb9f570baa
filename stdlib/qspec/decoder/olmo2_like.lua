-- What OLMo 2 and OLMo 3 share.

local llama_like = require "qspec.decoder.llama_like"

local M = {}

M.defaults = { vocab_size = 50304, hidden_size = 4096, intermediate_size = 11008,
  num_hidden_layers = 32, num_attention_heads = 32, rms_norm_eps = 1e-5 }

--- The decoder's table.
function M.decoder(c, prefix, frequencies)
  local described = llama_like.decoder(c, prefix, { rope = frequencies })
  described.norm.kind = "rms_norm_fp32"
  described.block = { post1 = "post_attention_layernorm", post2 = "post_feedforward_layernorm",
    order = { "attention", "mlp", "post1", "post2" } }
  described.attention.norm = llama_like.head_norm(described)
  described.attention.norm.over = "projection"
  described.mlp.bias = false
  return described
end

return M
