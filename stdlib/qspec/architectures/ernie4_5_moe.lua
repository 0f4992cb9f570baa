-- ERNIE 4.5 MoE: ERNIE 4.5 with experts behind a router of fp32 whose choice is corrected.

local llama_like = require "qspec.decoder.llama_like"
local rope = require "qspec.decoder.rope"

local function has_experts(c)
  local last = c.moe_layer_end_index >= 0 and c.moe_layer_end_index or c.num_hidden_layers - 1
  return function(index)
    return index >= c.moe_layer_start_index and index <= last
      and (index + 1) % c.moe_layer_interval == 0
  end
end

local function mixture(c)
  local described = llama_like.experts(c, "Ernie4_5_Moe", { score = "softmax_then_top",
    normalize = true, cast = true, count = c.moe_num_experts, width = c.moe_intermediate_size,
    router = { fp32 = true, correction = "mlp.gate.moe_statics.e_score_correction_bias",
      correction_shape = { 1, c.moe_num_experts }, least_sum = c.moe_norm_min } })
  if c.moe_num_shared_experts > 0 then
    described.shared = llama_like.shared(c, "mlp.shared_experts",
      c.moe_intermediate_size * c.moe_num_shared_experts)
    described.shared.bias = c.use_bias
  end
  return described
end

return llama_like.architecture("Ernie4_5_Moe", {
  name = "ernie4_5_moe",
  summary = "ERNIE 4.5 MoE",
  model_types = { "ernie4_5_moe" },
  keep_in_fp32_strict = { "gate.weight", "moe_statics" },
  ignored = { "rotary_emb%.inv_freq$", "mtp" },
  renames = { { "%.mlp%.moe_statics%.", ".mlp.gate.moe_statics." } },
  config = llama_like.config {
    aliases = { num_experts = "moe_num_experts", moe_k = "num_experts_per_tok" },
    defaults = { vocab_size = 103424, hidden_size = 2560, intermediate_size = 12288,
      num_hidden_layers = 28, num_attention_heads = 20, num_key_value_heads = 4,
      max_position_embeddings = 131072, rms_norm_eps = 1e-5, rope_theta = 500000,
      use_bias = false, tie_word_embeddings = true, moe_intermediate_size = 1536,
      num_experts_per_tok = 6, moe_num_experts = 64, moe_num_shared_experts = 2,
      moe_layer_start_index = 1, moe_layer_end_index = -1, moe_layer_interval = 1,
      moe_norm_min = 1e-12 },
    types = { use_bias = "boolean", moe_intermediate_size = "count", num_experts_per_tok = "count",
      moe_num_experts = "count", moe_num_shared_experts = "whole",
      moe_layer_start_index = "whole", moe_layer_end_index = "number",
      moe_layer_interval = "count", moe_norm_min = "number" },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Ernie4_5_Moe", { rope = rope.read(c, {
      head_width = llama_like.head_width(c), style = "neighbours", precise = true,
      precise_table = true }) })
    described.attention.bias, described.mlp.bias = c.use_bias, c.use_bias
    described.head.bias = c.use_bias
    described.unsupported = c.use_bias and c.tie_word_embeddings
      and "a bias of an output head that is tied to the embeddings" or nil
    local dense, sparse, is_sparse = described.mlp, mixture(c), has_experts(c)
    described.mlp = function(index) return is_sparse(index) and sparse or dense end
    return described
  end,
})
