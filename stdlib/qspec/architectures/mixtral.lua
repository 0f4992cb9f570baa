-- Mixtral: Mistral with experts, two a token. Files store the experts apart and call the mixture
-- block_sparse_moe.

local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("Mixtral", {
  name = "mixtral",
  summary = "Mixtral 8x7B and 8x22B",
  model_types = { "mixtral" },
  renames = { { "%.block_sparse_moe%.", ".mlp." } },
  config = llama_like.config {
    aliases = { num_experts = "num_local_experts" },
    defaults = { vocab_size = 32000, hidden_size = 4096, intermediate_size = 14336,
      num_hidden_layers = 32, num_attention_heads = 32, num_key_value_heads = 8,
      max_position_embeddings = 131072, rms_norm_eps = 1e-5, rope_theta = 1e6,
      num_local_experts = 8, num_experts_per_tok = 2 },
    types = { num_local_experts = "count", num_experts_per_tok = "count" },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Mixtral")
    described.attention.bias, described.attention.window = false, c.sliding_window
    described.mlp = llama_like.experts(c, "Mixtral", { score = "softmax_then_top",
      normalize = true, count = c.num_local_experts, width = c.intermediate_size,
      parts = { prefix = "mlp.experts.%d.", gate = "w1", up = "w3", down = "w2" } })
    return described
  end,
})
