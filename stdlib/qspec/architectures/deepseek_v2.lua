-- DeepSeek-V2: latent attention, experts beside shared ones after the first layers.

local latent_like = require "qspec.decoder.latent_like"
local llama_like = require "qspec.decoder.llama_like"
local sparse_layers = require "qspec.decoder.sparse_layers"

local types = { n_routed_experts = "count", n_shared_experts = "count",
  num_experts_per_tok = "count", moe_intermediate_size = "count",
  first_k_dense_replace = "whole", routed_scaling_factor = "number", n_group = "count",
  topk_group = "count", topk_method = "string", norm_topk_prob = "boolean" }
for key, value in pairs(latent_like.types) do types[key] = value end

local function mixture(c)
  local in_groups = c.topk_method == "group_limited_greedy"
  local experts = llama_like.experts(c, "DeepseekV2", { score = "softmax_then_top",
    count = c.n_routed_experts, width = c.moe_intermediate_size,
    router = { class = "DeepseekV2TopkRouter", fp32 = true, scale = c.routed_scaling_factor,
      groups = in_groups and c.n_group or 1, chosen_groups = in_groups and c.topk_group or 1 } })
  if c.n_shared_experts then
    experts.shared = llama_like.shared(c, "mlp.shared_experts",
      c.moe_intermediate_size * c.n_shared_experts)
  end
  return experts
end

local function unsupported(c)
  local method = c.topk_method
  if method ~= "greedy" and method ~= "group_limited_greedy" then
    return "topk_method = " .. method
  end
  return c.norm_topk_prob and "norm_topk_prob" or nil
end

return llama_like.architecture("DeepseekV2", {
  name = "deepseek_v2",
  summary = "DeepSeek-V2 and DeepSeek-Coder-V2",
  model_types = { "deepseek_v2" },
  config = llama_like.config {
    aliases = { num_local_experts = "n_routed_experts" },
    defaults = { vocab_size = 102400, hidden_size = 4096, intermediate_size = 11008,
      num_hidden_layers = 32, num_attention_heads = 32, q_lora_rank = 1536, kv_lora_rank = 512,
      qk_rope_head_dim = 64, qk_nope_head_dim = 128, v_head_dim = 128, n_routed_experts = 64,
      n_shared_experts = 2, moe_intermediate_size = 1407, first_k_dense_replace = 0,
      routed_scaling_factor = 1, topk_method = "greedy", norm_topk_prob = false },
    types = types,
    nullable = { "q_lora_rank", "n_shared_experts" },
  },
  decoder = function(c)
    local described = latent_like.decoder(c, "DeepseekV2", { style = "neighbours",
      precise = true, precise_table = true })
    described.mlp = sparse_layers.after_first(c, described.mlp, mixture)
    described.unsupported = unsupported(c)
    return described
  end,
})
