-- Qwen3-MoE: Qwen3 with experts.

local llama_like = require "qspec.decoder.llama_like"
local sparse_layers = require "qspec.decoder.sparse_layers"

return llama_like.architecture("Qwen3Moe", {
  name = "qwen3_moe",
  summary = "Qwen3-MoE",
  model_types = { "qwen3_moe" },
  config = llama_like.config {
    aliases = { num_local_experts = "num_experts" },
    defaults = { vocab_size = 151936, hidden_size = 2048, intermediate_size = 6144,
      num_hidden_layers = 24, num_attention_heads = 32, num_key_value_heads = 4,
      max_position_embeddings = 32768, use_sliding_window = false, sliding_window = 4096,
      decoder_sparse_step = 1, moe_intermediate_size = 768, num_experts_per_tok = 8,
      num_experts = 128, norm_topk_prob = false },
    types = { use_sliding_window = "boolean", decoder_sparse_step = "count",
      moe_intermediate_size = "count", num_experts_per_tok = "count", num_experts = "count",
      norm_topk_prob = "boolean", mlp_only_layers = "table" },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Qwen3Moe")
    described.attention.norm = llama_like.head_norm(described)
    described.attention.window = c.use_sliding_window and c.sliding_window or nil
    described.mlp.bias = false
    described.mlp = sparse_layers.by_step(c, described.mlp,
      llama_like.experts(c, "Qwen3Moe", { score = "softmax_then_top",
        normalize = c.norm_topk_prob, cast = true, count = c.num_experts,
        width = c.moe_intermediate_size }))
    return described
  end,
})
