-- GLM-4.7-Flash: latent attention, experts behind a router of sigmoids after the first layer.

local latent_like = require "qspec.decoder.latent_like"
local llama_like = require "qspec.decoder.llama_like"
local sparse_layers = require "qspec.decoder.sparse_layers"

local types = { rope_interleave = "boolean", mlp_layer_types = "table" }
for _, more in ipairs { latent_like.types, sparse_layers.sigmoid_types } do
  for key, value in pairs(more) do types[key] = value end
end

return llama_like.architecture("Glm4MoeLite", {
  name = "glm4_moe_lite",
  summary = "GLM-4.7-Flash",
  model_types = { "glm4_moe_lite" },
  keep_in_fp32_strict = { "e_score_correction_bias" },
  -- The layer behind the last; see deepseek_v3.
  ignored = { "rotary_emb%.inv_freq$", "^model%.layers%.47%." },
  config = llama_like.config {
    aliases = { num_local_experts = "n_routed_experts" },
    defaults = { vocab_size = 154880, hidden_size = 2048, intermediate_size = 10240,
      num_hidden_layers = 47, num_attention_heads = 20, max_position_embeddings = 202752,
      rms_norm_eps = 1e-5, q_lora_rank = 768, kv_lora_rank = 512, qk_rope_head_dim = 64,
      qk_nope_head_dim = 192, v_head_dim = 256, rope_interleave = true, n_routed_experts = 64,
      n_shared_experts = 1, num_experts_per_tok = 4, moe_intermediate_size = 1536,
      routed_scaling_factor = 1.8, n_group = 1, topk_group = 1, norm_topk_prob = true },
    types = types,
    nullable = { "q_lora_rank", "mlp_layer_types" },
  },
  decoder = function(c)
    local described = latent_like.decoder(c, "Glm4MoeLite",
      { style = c.rope_interleave and "neighbours_to_halves" or "halves" })
    described.mlp = sparse_layers.by_type(c, 1, described.mlp, function()
      return sparse_layers.sigmoid_experts(c, "Glm4MoeLite")
    end)
    return described
  end,
})
