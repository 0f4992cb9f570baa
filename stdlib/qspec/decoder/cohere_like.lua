-- What Command R and Command R7B share: layer norms in fp32, attention and MLP side by side,
-- rotary positions of neighbours with products in fp32, logits times a number.

local llama_like = require "qspec.decoder.llama_like"
local rope = require "qspec.decoder.rope"

local M = {}

M.defaults = { vocab_size = 256000, hidden_size = 8192, intermediate_size = 22528,
  num_hidden_layers = 40, num_attention_heads = 64, max_position_embeddings = 8192,
  layer_norm_eps = 1e-5, logit_scale = 0.0625, tie_word_embeddings = true }

M.types = { layer_norm_eps = "number", logit_scale = "number", use_qk_norm = "boolean" }

--- The decoder's table.
function M.decoder(c, prefix)
  local described = llama_like.decoder(c, prefix, { rope = rope.read(c, {
    head_width = llama_like.head_width(c), style = "neighbours", precise = true }) })
  described.norm = { kind = "layer_norm_fp32", eps = c.layer_norm_eps,
    class = prefix .. "LayerNorm" }
  described.block = { norm1 = "input_layernorm", parallel = "x_attention_mlp",
    order = { "attention", "mlp", "norm1" } }
  described.mlp.bias = false
  described.head.scale = c.logit_scale
  return described
end

return M
