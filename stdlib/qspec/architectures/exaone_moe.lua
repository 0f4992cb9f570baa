-- K-EXAONE: EXAONE 4's attention behind norms, experts behind a router of sigmoids.

local layer_types = require "qspec.decoder.layer_types"
local llama_like = require "qspec.decoder.llama_like"
local sparse_layers = require "qspec.decoder.sparse_layers"

local types = { mlp_layer_types = "table" }
for key, value in pairs(sparse_layers.sigmoid_types) do types[key] = value end

return llama_like.architecture("ExaoneMoe", {
  name = "exaone_moe",
  summary = "K-EXAONE",
  model_types = { "exaone_moe" },
  keep_in_fp32_strict = { "e_score_correction_bias" },
  renames = { { "%.mlp%.e_score_correction_bias$", ".mlp.gate.e_score_correction_bias" } },
  ignored = { "rotary_emb%.inv_freq$", "^mtp" },
  config = llama_like.config {
    aliases = { num_experts = "n_routed_experts", num_shared_experts = "n_shared_experts" },
    defaults = { vocab_size = 102400, hidden_size = 4096, intermediate_size = 16384,
      num_hidden_layers = 32, num_attention_heads = 32, num_key_value_heads = 32,
      rms_norm_eps = 1e-5, sliding_window = 4096, sliding_window_pattern = 4,
      first_k_dense_replace = 1, moe_intermediate_size = 1024, n_routed_experts = 64,
      num_experts_per_tok = 8, n_shared_experts = 1, norm_topk_prob = true,
      routed_scaling_factor = 2.5, n_group = 1, topk_group = 1 },
    types = types,
    nullable = { "sliding_window_pattern", "mlp_layer_types" },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "ExaoneMoe")
    described.attention.bias, described.mlp.bias = false, false
    described.attention.norm = llama_like.head_norm(described)
    layer_types.positions_in_windows(c, described.attention)
    described.mlp = sparse_layers.by_type(c, c.first_k_dense_replace, described.mlp, function()
      return sparse_layers.sigmoid_experts(c, "ExaoneMoe")
    end)
    return described
  end,
})
