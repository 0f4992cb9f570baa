-- Qwen3.5-MoE, the text model: Qwen3.5 with experts on every layer. Listed, not run.

local blocks = require "qspec.outline.blocks"
local gated_delta = require "qspec.outline.gated_delta"
local llama_like = require "qspec.decoder.llama_like"
local qwen3_5_like = require "qspec.outline.qwen3_5_like"

local function mixture(c)
  local described = llama_like.experts(c, "Qwen3_5Moe", { score = "softmax_then_top",
    count = c.num_experts, width = c.moe_intermediate_size })
  described.shared = llama_like.shared(c, "mlp.shared_expert", c.shared_expert_intermediate_size)
  described.shared_gate = "mlp.shared_expert_gate"
  return described
end

return llama_like.architecture("Qwen3_5Moe", {
  name = "qwen3_5_moe_text",
  summary = "Qwen3.5-MoE, text models (listed, not run)",
  model_types = { "qwen3_5_moe_text" },
  ignored = { "^mtp", "^model%.visual" },
  config = llama_like.config {
    defaults = blocks.merged(gated_delta.defaults, { vocab_size = 248320, hidden_size = 2048,
      num_hidden_layers = 40, num_attention_heads = 16, num_key_value_heads = 2, head_dim = 256,
      max_position_embeddings = 32768, moe_intermediate_size = 512,
      shared_expert_intermediate_size = 512, num_experts_per_tok = 8, num_experts = 256 }),
    types = blocks.merged(gated_delta.types, { moe_intermediate_size = "count",
      shared_expert_intermediate_size = "count", num_experts_per_tok = "count",
      num_experts = "count" }),
    nullable = { "layer_types" },
  },
  outline = function(c) return qwen3_5_like.outline(c, "Qwen3_5Moe", mixture(c)) end,
})
