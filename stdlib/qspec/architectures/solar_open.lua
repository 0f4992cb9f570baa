-- Solar Open: experts behind a router of sigmoids on every layer.

local llama_like = require "qspec.decoder.llama_like"
local sparse_layers = require "qspec.decoder.sparse_layers"

return llama_like.architecture("SolarOpen", {
  name = "solar_open",
  summary = "Solar Open",
  model_types = { "solar_open" },
  keep_in_fp32_strict = { "e_score_correction_bias" },
  config = llama_like.config {
    aliases = { num_local_experts = "n_routed_experts" },
    defaults = { vocab_size = 196608, hidden_size = 4096, num_hidden_layers = 48,
      num_attention_heads = 64, num_key_value_heads = 8, head_dim = 128,
      max_position_embeddings = 131072, rms_norm_eps = 1e-5, rope_theta = 1e6,
      moe_intermediate_size = 1280, num_experts_per_tok = 8, n_shared_experts = 1,
      n_routed_experts = 128, routed_scaling_factor = 1, n_group = 1, topk_group = 1,
      norm_topk_prob = true },
    types = sparse_layers.sigmoid_types,
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "SolarOpen")
    described.attention.out_bias = false
    described.mlp = sparse_layers.sigmoid_experts(c, "SolarOpen")
    return described
  end,
})
