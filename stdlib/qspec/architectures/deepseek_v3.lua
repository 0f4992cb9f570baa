-- DeepSeek-V3 and R1: V2 with a router of sigmoids and a correction that steers the choice.

local latent_like = require "qspec.decoder.latent_like"
local llama_like = require "qspec.decoder.llama_like"
local sparse_layers = require "qspec.decoder.sparse_layers"

local types = { rope_interleave = "boolean" }
for _, more in ipairs { latent_like.types, sparse_layers.sigmoid_types } do
  for key, value in pairs(more) do types[key] = value end
end

return llama_like.architecture("DeepseekV3", {
  name = "deepseek_v3",
  summary = "DeepSeek-V3 and DeepSeek-R1",
  model_types = { "deepseek_v3" },
  keep_in_fp32_strict = { "e_score_correction_bias" },
  -- The layer behind the last predicts tokens further on; transformers does not load it.
  ignored = { "rotary_emb%.inv_freq$", "^model%.layers%.61%." },
  config = llama_like.config {
    aliases = { num_local_experts = "n_routed_experts" },
    defaults = { vocab_size = 129280, hidden_size = 7168, intermediate_size = 18432,
      num_hidden_layers = 61, num_attention_heads = 128, max_position_embeddings = 4096,
      q_lora_rank = 1536, kv_lora_rank = 512, qk_rope_head_dim = 64, qk_nope_head_dim = 128,
      v_head_dim = 128, rope_interleave = true, n_routed_experts = 256, n_shared_experts = 1,
      num_experts_per_tok = 8, moe_intermediate_size = 2048, first_k_dense_replace = 3,
      routed_scaling_factor = 2.5, n_group = 8, topk_group = 4, norm_topk_prob = true },
    types = types,
    nullable = { "q_lora_rank" },
  },
  decoder = function(c)
    local described = latent_like.decoder(c, "DeepseekV3",
      { style = c.rope_interleave and "neighbours_to_halves" or "halves" })
    described.mlp = sparse_layers.after_first(c, described.mlp, function()
      return sparse_layers.sigmoid_experts(c, "DeepseekV3")
    end)
    return described
  end,
})
