-- Phi-1, 1.5 and 2: attention and MLP side by side behind one norm, biases everywhere, half of a
-- head's dimensions rotate.

local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("Phi", {
  name = "phi",
  summary = "Phi-1, Phi-1.5 and Phi-2",
  model_types = { "phi" },
  config = llama_like.config {
    defaults = { vocab_size = 51200, hidden_size = 2048, intermediate_size = 8192,
      num_hidden_layers = 24, num_attention_heads = 32, hidden_act = "gelu_new",
      layer_norm_eps = 1e-5, qk_layernorm = false, partial_rotary_factor = 0.5 },
    types = { layer_norm_eps = "number", qk_layernorm = "boolean" },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "Phi")
    described.norm = { kind = "layer_norm", eps = c.layer_norm_eps }
    described.block = { norm1 = "input_layernorm", parallel = "attention_mlp_x",
      order = { "attention", "mlp", "norm1" } }
    local attention = described.attention
    attention.out, attention.bias = "self_attn.dense", true
    if c.qk_layernorm then
      attention.norm = llama_like.head_norm(described, "self_attn.q_layernorm",
        "self_attn.k_layernorm")
    end
    described.mlp = llama_like.plain_mlp(c, "mlp.fc1", "mlp.fc2", true)
    described.final_norm, described.head.bias = "model.final_layernorm", true
    return described
  end,
})
