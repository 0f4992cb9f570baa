-- Qwen3-Next: gated delta nets, gated attention in every fourth layer, experts. Listed, not run.

local blocks = require "qspec.outline.blocks"
local hybrid = require "qspec.outline.hybrid"
local llama_like = require "qspec.decoder.llama_like"
local mlp = require "qspec.decoder.mlp"
local sparse_layers = require "qspec.decoder.sparse_layers"

local function is_attention(c, index)
  if c.layer_types then return c.layer_types[index + 1] == "full_attention" end
  return (index + 1) % c.full_attention_interval == 0
end

local function attention(listing, name, c, norm)
  local o = blocks.attention_of(c)
  o.q_rows = 2 * o.heads * o.head_width  -- queries, and a gate of each
  blocks.attention(listing, name .. "self_attn.", o)
  norm(name .. "self_attn.q_norm", o.head_width)
  norm(name .. "self_attn.k_norm", o.head_width)
end

local function delta_net(listing, prefix, c)
  local heads, width = c.linear_num_value_heads, c.hidden_size
  local keys = c.linear_num_key_heads * c.linear_key_head_dim
  local values = heads * c.linear_value_head_dim
  listing:parameter(prefix .. "dt_bias", { heads })
  listing:parameter(prefix .. "A_log", { heads })
  listing:convolution(prefix .. "conv1d", 2 * keys + values, c.linear_conv_kernel_dim, false)
  listing:linear(prefix .. "in_proj_qkvz", width, 2 * keys + 2 * values, false)
  listing:linear(prefix .. "in_proj_ba", width, 2 * heads, false)
  listing:norm(prefix .. "norm", { kind = "rms_norm", class = "Qwen3NextRMSNormGated" },
    { c.linear_value_head_dim })
  listing:linear(prefix .. "out_proj", values, width, false)
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
    defaults = { vocab_size = 151936, hidden_size = 2048, intermediate_size = 5632,
      num_hidden_layers = 48, num_attention_heads = 16, num_key_value_heads = 2, head_dim = 256,
      max_position_embeddings = 32768, linear_conv_kernel_dim = 4, linear_key_head_dim = 128,
      linear_value_head_dim = 128, linear_num_key_heads = 16, linear_num_value_heads = 32,
      decoder_sparse_step = 1, moe_intermediate_size = 512, num_experts_per_tok = 10,
      shared_expert_intermediate_size = 512, num_experts = 512, full_attention_interval = 4 },
    types = { linear_conv_kernel_dim = "count", linear_key_head_dim = "count",
      linear_value_head_dim = "count", linear_num_key_heads = "count",
      linear_num_value_heads = "count", decoder_sparse_step = "count",
      moe_intermediate_size = "count", shared_expert_intermediate_size = "count",
      num_experts_per_tok = "count", num_experts = "count", full_attention_interval = "count",
      mlp_only_layers = "table" },
    nullable = { "layer_types", "mlp_only_layers" },
  },
  outline = function(c)
    local mlps = feed_forward(c)
    return hybrid.outline(c, "Qwen3Next", {
      refusal = "layers of gated delta nets (Qwen3NextGatedDeltaNet)",
      final_norm = "model.norm",
      rotary = { head_width = llama_like.head_width(c), share = 0.25 },
      layer = function(listing, name, index, norm)
        if is_attention(c, index) then
          attention(listing, name, c, norm)
        else
          delta_net(listing, name .. "linear_attn.", c)
        end
        mlp.list_of(listing, name, mlps(index), c.hidden_size)
        norm(name .. "input_layernorm")
        norm(name .. "post_attention_layernorm")
      end })
  end,
})
