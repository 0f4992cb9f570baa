-- BitNet b1.58 2B4T: LLaMA with a norm more before the last linear of attention and of the MLP.

local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("BitNet", {
  name = "bitnet",
  summary = "BitNet b1.58",
  model_types = { "bitnet" },
  config = llama_like.config {
    defaults = { vocab_size = 128256, hidden_size = 2560, intermediate_size = 6912,
      num_hidden_layers = 30, num_attention_heads = 20, num_key_value_heads = 5,
      hidden_act = "relu2", rms_norm_eps = 1e-5, rope_theta = 500000 },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "BitNet")
    described.attention.out_norm = "self_attn.attn_sub_norm"
    described.mlp.bias, described.mlp.norm = false, "mlp.ffn_sub_norm"
    return described
  end,
})
