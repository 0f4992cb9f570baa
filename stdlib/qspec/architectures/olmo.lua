-- OLMo: norms without parameters, rotary positions in fp32.

local llama_like = require "qspec.decoder.llama_like"
local rope = require "qspec.decoder.rope"

return llama_like.architecture("Olmo", {
  name = "olmo",
  summary = "OLMo",
  model_types = { "olmo" },
  config = llama_like.config {
    defaults = { vocab_size = 50304, hidden_size = 4096, intermediate_size = 11008,
      num_hidden_layers = 32, num_attention_heads = 32 },
    types = { clip_qkv = "number" },
    nullable = { "clip_qkv" },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Olmo", { rope = rope.read(c, {
      head_width = llama_like.head_width(c), precise = true, precise_table = true }) })
    described.norm = { kind = "layer_norm_bare", eps = 1e-5 }
    described.attention.clip, described.mlp.bias = c.clip_qkv, false
    return described
  end,
})
