-- Qwen1.5-MoE and Qwen2-MoE: experts beside a shared MLP that every token takes a share of.

local layer_types = require "qspec.decoder.layer_types"
local llama_like = require "qspec.decoder.llama_like"
local sparse_layers = require "qspec.decoder.sparse_layers"

return llama_like.architecture("Qwen2Moe", {
  name = "qwen2_moe",
  summary = "Qwen1.5-MoE and Qwen2-MoE",
  model_types = { "qwen2_moe" },
  config = llama_like.config {
    defaults = { vocab_size = 151936, hidden_size = 2048, intermediate_size = 5632,
      num_hidden_layers = 24, num_attention_heads = 16, num_key_value_heads = 16,
      max_position_embeddings = 32768, use_sliding_window = false, sliding_window = 4096,
      max_window_layers = 28, decoder_sparse_step = 1, moe_intermediate_size = 1408,
      shared_expert_intermediate_size = 5632, num_experts_per_tok = 4, num_experts = 60,
      norm_topk_prob = false, qkv_bias = true },
    types = { use_sliding_window = "boolean", max_window_layers = "whole",
      decoder_sparse_step = "count", moe_intermediate_size = "count",
      shared_expert_intermediate_size = "count", num_experts_per_tok = "count",
      num_experts = "count", norm_topk_prob = "boolean", qkv_bias = "boolean",
      mlp_only_layers = "table" },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Qwen2Moe")
    described.attention.bias, described.attention.out_bias = c.qkv_bias, false
    described.mlp.bias = false
    if c.use_sliding_window then
      described.attention.window = layer_types.windows(c, layer_types.read(c, function(index)
        return c.sliding_window ~= nil and index >= c.max_window_layers
      end))
    end
    local mixture = llama_like.experts(c, "Qwen2Moe", { score = "softmax_then_top",
      normalize = c.norm_topk_prob, cast = true, count = c.num_experts,
      width = c.moe_intermediate_size })
    mixture.shared = llama_like.shared(c, "mlp.shared_expert", c.shared_expert_intermediate_size)
    mixture.shared_gate = "mlp.shared_expert_gate"
    described.mlp = sparse_layers.by_step(c, described.mlp, mixture)
    return described
  end,
})
