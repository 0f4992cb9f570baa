-- GLM-4.5 and 4.6: experts behind a router of sigmoids after the first layers.

local llama_like = require "qspec.decoder.llama_like"
local sparse_layers = require "qspec.decoder.sparse_layers"

local types = { use_qk_norm = "boolean" }
for key, value in pairs(sparse_layers.sigmoid_types) do types[key] = value end

return llama_like.architecture("Glm4Moe", {
  name = "glm4_moe",
  summary = "GLM-4.5 and GLM-4.6",
  model_types = { "glm4_moe" },
  keep_in_fp32_strict = { "e_score_correction_bias" },
  -- The layer behind the last, of both sizes; see deepseek_v3.
  ignored = { "rotary_emb%.inv_freq$", "^model%.layers%.46%.", "^model%.layers%.92%." },
  config = llama_like.config {
    aliases = { num_local_experts = "n_routed_experts" },
    defaults = { vocab_size = 151552, hidden_size = 4096, intermediate_size = 10944,
      num_hidden_layers = 46, num_attention_heads = 96, num_key_value_heads = 8,
      max_position_embeddings = 131072, rms_norm_eps = 1e-5, partial_rotary_factor = 0.5,
      moe_intermediate_size = 1408, num_experts_per_tok = 8, n_shared_experts = 1,
      n_routed_experts = 128, routed_scaling_factor = 1, n_group = 1, topk_group = 1,
      first_k_dense_replace = 1, norm_topk_prob = true, use_qk_norm = false },
    types = types,
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Glm4Moe")
    local attention = described.attention
    attention.out_bias, described.mlp.bias = false, false
    if c.use_qk_norm then attention.norm = llama_like.head_norm(described) end
    described.mlp = sparse_layers.after_first(c, described.mlp, function()
      return sparse_layers.sigmoid_experts(c, "Glm4Moe")
    end)
    return described
  end,
})
