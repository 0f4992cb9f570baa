-- Helium: LLaMA with rotary positions of neighbours, and norms that round once.

local llama_like = require "qspec.decoder.llama_like"
local rope = require "qspec.decoder.rope"

return llama_like.architecture("Helium", {
  name = "helium",
  summary = "Helium",
  model_types = { "helium" },
  config = llama_like.config {
    defaults = { vocab_size = 48000, hidden_size = 2560, intermediate_size = 7040,
      num_hidden_layers = 24, num_attention_heads = 20, num_key_value_heads = 20, head_dim = 128,
      max_position_embeddings = 4096, rms_norm_eps = 1e-8, rope_theta = 100000 },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Helium", { rope = rope.read(c, {
      head_width = llama_like.head_width(c), style = "neighbours" }) })
    described.norm.kind = "rms_norm_fp32"
    described.attention.out_bias = false
    return described
  end,
})
