-- Falcon H1: Mamba 2 and attention side by side in each layer. Listed, not run.

local blocks = require "qspec.outline.blocks"
local hybrid = require "qspec.outline.hybrid"
local llama_like = require "qspec.decoder.llama_like"

local function mixer(listing, name, c)
  local o = blocks.mamba2_of(c, c.mamba_rms_norm and "FalconH1RMSNormGated" or nil, c.mamba_d_ssm)
  blocks.mamba2(listing, name .. "mamba.", o)
  local rows = 2 * o.inner + 2 * o.groups * o.state + o.heads
  listing:buffers(name .. "mamba", "FalconH1Mixer", { { name = "mup_vector",
    dtype = llama_like.load_dtype(c), shape = { 1, 1, rows } } })
end

local function layer(listing, name, norm, c)
  blocks.mlp(listing, name .. "feed_forward.", c.hidden_size, c.intermediate_size, c.mlp_bias)
  mixer(listing, name, c)
  blocks.attention(listing, name .. "self_attn.", blocks.attention_of(c))
  norm(name .. "input_layernorm")
  norm(name .. "pre_ff_layernorm")
end

return llama_like.architecture("FalconH1", {
  name = "falcon_h1",
  summary = "Falcon H1 (listed, not run)",
  model_types = { "falcon_h1" },
  config = llama_like.config {
    defaults = blocks.merged(blocks.mamba2_defaults, { vocab_size = 128000, hidden_size = 4096,
      intermediate_size = 14336, num_hidden_layers = 32, num_attention_heads = 32,
      num_key_value_heads = 8, max_position_embeddings = 8192, mamba_d_ssm = 1024,
      mamba_rms_norm = false }),
    types = blocks.merged(blocks.mamba2_types, { mamba_d_ssm = "count",
      mamba_rms_norm = "boolean" }),
    nullable = { "mamba_d_ssm" },
  },
  outline = function(c)
    return hybrid.outline(c, "FalconH1", {
      refusal = "layers of selective state spaces beside attention (FalconH1Mixer)",
      final_norm = "model.final_layernorm", rotary = { head_width = llama_like.head_width(c) },
      layer = function(listing, name, _, norm) layer(listing, name, norm, c) end })
  end,
})
