-- Jamba: attention in every eighth layer, Mamba in the others, experts in every second one. Listed,
-- not run.

local blocks = require "qspec.outline.blocks"
local experts = require "qspec.decoder.experts"
local hybrid = require "qspec.outline.hybrid"
local llama_like = require "qspec.decoder.llama_like"

local function mixer(listing, prefix, c, norm)
  local rank = blocks.auto(c, "mamba_dt_rank", math.ceil(c.hidden_size / 16))
  blocks.mamba(listing, prefix, { width = c.hidden_size, inner = c.mamba_expand * c.hidden_size,
    state = c.mamba_d_state, rank = rank, kernel = c.mamba_d_conv, bias = c.mamba_proj_bias,
    conv_bias = c.mamba_conv_bias })
  norm(prefix .. "dt_layernorm", rank)
  norm(prefix .. "b_layernorm", c.mamba_d_state)
  norm(prefix .. "c_layernorm", c.mamba_d_state)
end

-- The router is a linear like any other here, and quantizers convert it.
local function mixture(listing, prefix, c)
  local parts = { prefix = "experts.%d.", gate = "gate_proj", up = "up_proj", down = "down_proj" }
  listing:linear(prefix .. "router", c.hidden_size, c.num_experts, false)
  experts.list_weights(listing, prefix, { experts = { gate_up = "experts.gate_up_proj",
    down = "experts.down_proj", class = "JambaExperts", count = c.num_experts,
    width = c.intermediate_size, parts = parts } }, c.hidden_size)
end

local function layer(listing, name, index, norm, c)
  if index % c.attn_layer_period == c.attn_layer_offset then
    blocks.attention(listing, name .. "self_attn.", blocks.attention_of(c))
  else
    mixer(listing, name .. "mamba.", c, norm)
  end
  local has_experts = index % c.expert_layer_period == c.expert_layer_offset
  if has_experts and c.num_experts > 1 then
    mixture(listing, name .. "feed_forward.", c)
  else
    blocks.mlp(listing, name .. "feed_forward.", c.hidden_size, c.intermediate_size)
  end
  norm(name .. "input_layernorm")
  norm(name .. "pre_ff_layernorm")
end

return llama_like.architecture("Jamba", {
  name = "jamba",
  summary = "Jamba (listed, not run)",
  model_types = { "jamba" },
  config = llama_like.config {
    aliases = { num_local_experts = "num_experts" },
    defaults = { vocab_size = 65536, hidden_size = 4096, intermediate_size = 14336,
      num_hidden_layers = 32, num_attention_heads = 32, num_key_value_heads = 8,
      num_experts = 16, expert_layer_period = 2, expert_layer_offset = 1, attn_layer_period = 8,
      attn_layer_offset = 4, mamba_d_state = 16, mamba_d_conv = 4, mamba_expand = 2,
      mamba_conv_bias = true, mamba_proj_bias = false },
    types = { num_experts = "count", expert_layer_period = "count",
      expert_layer_offset = "whole", attn_layer_period = "count", attn_layer_offset = "whole",
      mamba_d_state = "count", mamba_d_conv = "count", mamba_expand = "count",
      mamba_conv_bias = "boolean", mamba_proj_bias = "boolean" },
  },
  outline = function(c)
    return hybrid.outline(c, "Jamba", {
      refusal = "layers of selective state spaces (JambaMambaMixer)",
      final_norm = "model.final_layernorm",
      layer = function(listing, name, index, norm) layer(listing, name, index, norm, c) end })
  end,
})
