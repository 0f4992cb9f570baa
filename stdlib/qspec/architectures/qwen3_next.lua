-- Qwen3-Next: gated delta nets, gated attention in every fourth layer, experts. Listed, not run.

local blocks = require "qspec.outline.blocks"
local gated_delta = require "qspec.outline.gated_delta"
local hybrid = require "qspec.outline.hybrid"
local llama_like = require "qspec.decoder.llama_like"
local mlp = require "qspec.decoder.mlp"
local sparse_layers = require "qspec.decoder.sparse_layers"

local function delta_net(listing, prefix, c)
  gated_delta.delta_net(listing, prefix, c, "Qwen3NextRMSNormGated",
    function(width, keys, values, heads)
      listing:linear(prefix .. "in_proj_qkvz", width, 2 * keys + 2 * values, false)
      listing:linear(prefix .. "in_proj_ba", width, 2 * heads, false)
    end)
end

local function feed_forward(c)
  local mixture = llama_like.experts(c, "Qwen3Next", { score = "softmax_then_top",
    count = c.num_experts, width = c.moe_intermediate_size })
  mixture.shared = llama_like.shared(c, "mlp.shared_expert", c.shared_expert_intermediate_size)
  mixture.shared_gate = "mlp.shared_expert_gate"
  return sparse_layers.by_step(c, llama_like.shared(c, "mlp", c.intermediate_size), mixture)
end

return llama_like.architecture("Qwen3Next", {
  name = "qwen3_next",
  summary = "Qwen3-Next (listed, not run)",
  model_types = { "qwen3_next" },
  ignored = { "^mtp" },
  config = llama_like.config {
    aliases = { num_local_experts = "num_experts" },
    defaults = blocks.merged(gated_delta.defaults, { vocab_size = 151936, hidden_size = 2048,
      intermediate_size = 5632, num_hidden_layers = 48, num_attention_heads = 16,
      num_key_value_heads = 2, head_dim = 256, max_position_embeddings = 32768,
      decoder_sparse_step = 1, moe_intermediate_size = 512, num_experts_per_tok = 10,
      shared_expert_intermediate_size = 512, num_experts = 512 }),
    types = blocks.merged(gated_delta.types, { decoder_sparse_step = "count",
      moe_intermediate_size = "count", shared_expert_intermediate_size = "count",
      num_experts_per_tok = "count", num_experts = "count", mlp_only_layers = "table" }),
    nullable = { "layer_types", "mlp_only_layers" },
  },
  outline = function(c)
    local mlps = feed_forward(c)
    return hybrid.outline(c, "Qwen3Next", {
      refusal = "layers of gated delta nets (Qwen3NextGatedDeltaNet)",
      final_norm = "model.norm",
      rotary = { head_width = llama_like.head_width(c), share = 0.25 },
      layer = function(listing, name, index, norm)
        if gated_delta.is_attention(c, index) then
          gated_delta.attention(listing, name, c, norm)
        else
          delta_net(listing, name .. "linear_attn.", c)
        end
        mlp.list_of(listing, name, mlps(index), c.hidden_size)
        norm(name .. "input_layernorm")
        norm(name .. "post_attention_layernorm")
      end })
  end,
})
