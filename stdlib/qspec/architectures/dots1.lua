-- dots.llm1: Qwen3's attention, experts behind a router of sigmoids.

local layer_types = require "qspec.decoder.layer_types"
local llama_like = require "qspec.decoder.llama_like"
local sparse_layers = require "qspec.decoder.sparse_layers"

local types = { max_window_layers = "whole" }
for key, value in pairs(sparse_layers.sigmoid_types) do types[key] = value end

return llama_like.architecture("Dots1", {
  name = "dots1",
  summary = "dots.llm1",
  model_types = { "dots1" },
  keep_in_fp32_strict = { "e_score_correction_bias" },
  -- The class has no defaults for the experts; these are the released model's.
  config = llama_like.config {
    aliases = { num_local_experts = "n_routed_experts" },
    defaults = { vocab_size = 152064, hidden_size = 4608, intermediate_size = 10944,
      num_hidden_layers = 62, num_attention_heads = 32, num_key_value_heads = 32,
      n_routed_experts = 128, n_shared_experts = 2, num_experts_per_tok = 6,
      moe_intermediate_size = 1408, first_k_dense_replace = 0, routed_scaling_factor = 1,
      n_group = 1, topk_group = 1, norm_topk_prob = false, sliding_window = 4096,
      max_window_layers = 62 },
    types = types,
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Dots1")
    described.attention.norm = llama_like.head_norm(described)
    described.attention.window = layer_types.windows(c, layer_types.read(c, function(index)
      return c.sliding_window ~= nil and index >= c.max_window_layers
    end))
    described.mlp.bias = false
    described.mlp = sparse_layers.after_first(c, described.mlp, function()
      return sparse_layers.sigmoid_experts(c, "Dots1")
    end)
    return described
  end,
})
