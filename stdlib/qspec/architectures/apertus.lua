-- Apertus: LLaMA with norms of each head's queries and keys, and an activation that is learned.

local llama_like = require "qspec.decoder.llama_like"

-- What the class has where the config says nothing.
local STRETCHED = { rope_type = "llama3", rope_theta = 12000000, factor = 8,
  original_max_position_embeddings = 8192, low_freq_factor = 1, high_freq_factor = 4 }

return llama_like.architecture("Apertus", {
  name = "apertus",
  summary = "Apertus",
  model_types = { "apertus" },
  config = llama_like.config {
    defaults = { vocab_size = 131072, hidden_size = 4096, intermediate_size = 14336,
      num_hidden_layers = 32, num_attention_heads = 32, max_position_embeddings = 65536,
      rms_norm_eps = 1e-5, hidden_act = "xielu", rope_theta = 12000000 },
  },
  decoder = function(c)
    if c.rope_scaling == nil then c.rope_parameters = c.rope_parameters or STRETCHED end
    local described = llama_like.decoder(c, "Apertus")
    local block = described.block
    block.norm1, block.norm2 = "attention_layernorm", "feedforward_layernorm"
    described.attention.norm = llama_like.head_norm(described)
    described.mlp = llama_like.plain_mlp(c)
    described.mlp.learned = c.hidden_act == "xielu" and "mlp.act_fn." or nil
    return described
  end,
})
