-- What the Granite models share: embeddings, branches, scores and logits each times a number.

local llama_like = require "qspec.decoder.llama_like"

local M = {}

M.defaults = { vocab_size = 32000, hidden_size = 4096, intermediate_size = 11008,
  num_hidden_layers = 32, num_attention_heads = 32, embedding_multiplier = 1,
  logits_scaling = 1, residual_multiplier = 1, attention_multiplier = 1 }

M.types = { embedding_multiplier = "number", logits_scaling = "number",
  residual_multiplier = "number", attention_multiplier = "number" }

--- The decoder's table.
function M.decoder(c, prefix)
  local described = llama_like.decoder(c, prefix)
  described.embed.scale = c.embedding_multiplier
  described.block.residual_scale = c.residual_multiplier
  described.attention.scale = c.attention_multiplier
  described.head.divide = c.logits_scaling
  return described
end

return M
