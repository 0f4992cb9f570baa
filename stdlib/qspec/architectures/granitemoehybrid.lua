-- Granite 4: Mamba 2, attention in some layers, experts beside a shared MLP. Listed, not run.

local blocks = require "qspec.outline.blocks"
local experts = require "qspec.decoder.experts"
local hybrid = require "qspec.outline.hybrid"
local llama_like = require "qspec.decoder.llama_like"

local PREFIX = "GraniteMoeHybrid"

local ATTENTION = { attention = true, full_attention = true }

local function mixture(listing, name, c)
  experts.list(listing, name, { router = { weight = "block_sparse_moe.router",
    class = PREFIX .. "TopKRouter" },
    experts = { gate_up = "block_sparse_moe.experts.gate_up_proj",
      down = "block_sparse_moe.experts.down_proj", class = PREFIX .. "Experts",
      count = c.num_local_experts, width = c.intermediate_size } }, c.hidden_size)
end

local function layer(listing, name, index, norm, c)
  norm(name .. "input_layernorm")
  norm(name .. "post_attention_layernorm")
  if c.num_local_experts > 0 then mixture(listing, name, c) end
  listing:linear(name .. "shared_mlp.input_linear", c.hidden_size, 2 * c.shared_intermediate_size,
    false)
  listing:linear(name .. "shared_mlp.output_linear", c.shared_intermediate_size, c.hidden_size,
    false)
  if ATTENTION[c.layer_types and c.layer_types[index + 1]] then
    blocks.attention(listing, name .. "self_attn.", blocks.attention_of(c))
  else
    blocks.mamba2(listing, name .. "mamba.", blocks.mamba2_of(c, PREFIX .. "RMSNormGated"))
  end
end

return llama_like.architecture(PREFIX, {
  name = "granitemoehybrid",
  summary = "Granite 4 (listed, not run)",
  model_types = { "granitemoehybrid" },
  renames = {
    { "block_sparse_moe%.input_linear%.weight$", "block_sparse_moe.experts.gate_up_proj" },
    { "block_sparse_moe%.output_linear%.weight$", "block_sparse_moe.experts.down_proj" },
    { "block_sparse_moe%.router%.layer%.weight$", "block_sparse_moe.router.weight" },
  },
  config = llama_like.config {
    aliases = { layers_block_type = "layer_types" },
    defaults = blocks.merged(blocks.mamba2_defaults, { vocab_size = 32000, hidden_size = 4096,
      intermediate_size = 11008, num_hidden_layers = 32, num_attention_heads = 32,
      num_local_experts = 8, shared_intermediate_size = 1024 }),
    types = blocks.merged(blocks.mamba2_types, { num_local_experts = "whole",
      shared_intermediate_size = "count", position_embedding_type = "string" }),
    nullable = { "position_embedding_type", "layer_types" },
  },
  outline = function(c)
    return hybrid.outline(c, PREFIX, {
      refusal = "layers of selective state spaces (GraniteMoeHybridMambaLayer)",
      final_norm = "model.norm",
      rotary = c.position_embedding_type == "rope" and { head_width = llama_like.head_width(c) },
      layer = function(listing, name, index, norm) layer(listing, name, index, norm, c) end })
  end,
})
