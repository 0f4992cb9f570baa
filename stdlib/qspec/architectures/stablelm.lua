-- StableLM: layer norms, a quarter of a head's dimensions rotates. The 12b model has attention and
-- MLP side by side and a norm of its own for each head.

local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("StableLm", {
  name = "stablelm",
  summary = "StableLM 3b, 1.6b, 12b",
  model_types = { "stablelm" },
  config = llama_like.config {
    defaults = { vocab_size = 50304, hidden_size = 2560, intermediate_size = 6912,
      num_hidden_layers = 32, num_attention_heads = 32, num_key_value_heads = 32,
      max_position_embeddings = 4096, layer_norm_eps = 1e-5, use_qkv_bias = false,
      qk_layernorm = false, use_parallel_residual = false, partial_rotary_factor = 0.25 },
    types = { layer_norm_eps = "number", use_qkv_bias = "boolean", qk_layernorm = "boolean",
      use_parallel_residual = "boolean" },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "StableLm")
    described.norm = { kind = "layer_norm", eps = c.layer_norm_eps }
    local attention = described.attention
    attention.bias, attention.out_bias, described.mlp.bias = c.use_qkv_bias, false, false
    if c.use_parallel_residual then
      described.block = { norm1 = "input_layernorm", parallel = "x_attention_mlp",
        order = { "attention", "mlp", "norm1" } }
    end
    if c.qk_layernorm then
      attention.norm = llama_like.head_norm(described, "self_attn.q_layernorm",
        "self_attn.k_layernorm")
      attention.norm.over, attention.norm.bias = "each_head", false
    end
    return described
  end,
})
