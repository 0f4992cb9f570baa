-- OLMoE: a mixture on every layer; norms over the whole projections of queries and keys.

local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("Olmoe", {
  name = "olmoe",
  summary = "OLMoE",
  model_types = { "olmoe" },
  config = llama_like.config {
    defaults = { vocab_size = 50304, hidden_size = 2048, intermediate_size = 2048,
      num_hidden_layers = 16, num_attention_heads = 16, max_position_embeddings = 4096,
      rms_norm_eps = 1e-5, num_experts_per_tok = 8, num_experts = 64, norm_topk_prob = false },
    aliases = { num_local_experts = "num_experts" },
    types = { num_experts_per_tok = "count", num_experts = "count", norm_topk_prob = "boolean",
      clip_qkv = "number" },
    nullable = { "clip_qkv" },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Olmoe")
    described.attention.norm = llama_like.head_norm(described)
    described.attention.norm.over = "projection"
    described.attention.clip = c.clip_qkv
    described.mlp = llama_like.experts(c, "Olmoe", { score = "softmax_then_top",
      normalize = c.norm_topk_prob, cast = true, count = c.num_experts,
      width = c.intermediate_size })
    return described
  end,
})
