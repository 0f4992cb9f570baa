-- Qwen3.5, the text model: gated delta nets, gated attention in every fourth layer. Listed, not
-- run.

local blocks = require "qspec.outline.blocks"
local gated_delta = require "qspec.outline.gated_delta"
local llama_like = require "qspec.decoder.llama_like"
local qwen3_5_like = require "qspec.outline.qwen3_5_like"

return llama_like.architecture("Qwen3_5", {
  name = "qwen3_5_text",
  summary = "Qwen3.5, text models (listed, not run)",
  model_types = { "qwen3_5_text" },
  ignored = { "^mtp", "^model%.visual" },
  config = llama_like.config {
    defaults = blocks.merged(gated_delta.defaults, { vocab_size = 248320, hidden_size = 4096,
      intermediate_size = 12288, num_hidden_layers = 32, num_attention_heads = 16,
      num_key_value_heads = 4, head_dim = 256, max_position_embeddings = 32768 }),
    types = gated_delta.types, nullable = { "layer_types" },
  },
  outline = function(c)
    return qwen3_5_like.outline(c, "Qwen3_5", llama_like.shared(c, "mlp", c.intermediate_size))
  end,
})
