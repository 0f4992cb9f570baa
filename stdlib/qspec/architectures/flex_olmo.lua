-- FlexOlmo: OLMo 2 with the experts of OLMoE.

local llama_like = require "qspec.decoder.llama_like"
local olmo2_like = require "qspec.decoder.olmo2_like"
local rope = require "qspec.decoder.rope"

return llama_like.architecture("FlexOlmo", {
  name = "flex_olmo",
  summary = "FlexOlmo",
  model_types = { "flex_olmo" },
  config = llama_like.config {
    aliases = { num_local_experts = "num_experts" },
    defaults = { vocab_size = 100352, hidden_size = 4096, intermediate_size = 11008,
      num_hidden_layers = 32, num_attention_heads = 32, max_position_embeddings = 4096,
      rope_theta = 500000, num_experts_per_tok = 5, num_experts = 7, norm_topk_prob = false },
    types = { num_experts_per_tok = "count", num_experts = "count", norm_topk_prob = "boolean" },
  },
  decoder = function(c)
    local described = olmo2_like.decoder(c, "FlexOlmo", rope.read(c,
      { head_width = llama_like.head_width(c), precise = true, precise_table = true }))
    described.mlp = llama_like.experts(c, "FlexOlmo", { score = "softmax_then_top",
      normalize = c.norm_topk_prob, cast = true, count = c.num_experts,
      width = c.intermediate_size })
    return described
  end,
})
