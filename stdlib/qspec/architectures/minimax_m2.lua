-- MiniMax-M2: norms over the whole projections of queries and keys, and experts on every layer
-- behind a router of sigmoids. Files call the mixture block_sparse_moe.

local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("MiniMaxM2", {
  name = "minimax_m2",
  summary = "MiniMax-M2",
  model_types = { "minimax_m2" },
  renames = { { "%.block_sparse_moe%.", ".mlp." } },
  config = llama_like.config {
    aliases = { num_experts = "num_local_experts" },
    defaults = { vocab_size = 200064, hidden_size = 3072, intermediate_size = 1536,
      num_hidden_layers = 62, num_attention_heads = 48, num_key_value_heads = 8, head_dim = 128,
      max_position_embeddings = 196608, rope_theta = 5e6, num_local_experts = 256,
      num_experts_per_tok = 8 },
    types = { num_local_experts = "count", num_experts_per_tok = "count" },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "MiniMaxM2")
    described.attention.bias = false
    described.attention.norm = llama_like.head_norm(described)
    described.attention.norm.over = "projection"
    described.mlp = llama_like.experts(c, "MiniMaxM2", { score = "sigmoid", normalize = true,
      count = c.num_local_experts, width = c.intermediate_size,
      router = { correction = "mlp.e_score_correction_bias" },
      parts = { prefix = "mlp.experts.%d.", gate = "w1", up = "w3", down = "w2" } })
    return described
  end,
})
