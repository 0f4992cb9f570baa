-- gpt-oss: a sink in each head's softmax, a window on every second layer, experts whose weights lie
-- as [in, out] with gate and up taking turns. The files that were released hold them in MXFP4.

local layer_types = require "qspec.decoder.layer_types"
local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("GptOss", {
  name = "gpt_oss",
  summary = "gpt-oss 20b and 120b",
  model_types = { "gpt_oss" },
  keep_in_fp32 = { "post_attention_layernorm", "input_layernorm", "norm" },
  config = llama_like.config {
    aliases = { num_experts = "num_local_experts" },
    defaults = { vocab_size = 201088, hidden_size = 2880, intermediate_size = 2880,
      num_hidden_layers = 36, num_attention_heads = 64, num_key_value_heads = 8, head_dim = 64,
      sliding_window = 128, max_position_embeddings = 131072, rms_norm_eps = 1e-5,
      attention_bias = true, rope_theta = 150000, num_local_experts = 128,
      num_experts_per_tok = 4, rope_parameters = { rope_type = "yarn", factor = 32,
        beta_fast = 32, beta_slow = 1, truncate = false, original_max_position_embeddings = 4096,
        rope_theta = 150000 } },
    types = { num_local_experts = "count", num_experts_per_tok = "count" },
  },
  decoder = function(c)
    local described = llama_like.decoder(c, "GptOss")
    described.norm.kind = "rms_norm_fp32"
    local attention = described.attention
    attention.kind, attention.sinks = "eager", "self_attn.sinks"
    attention.window = layer_types.windows(c, layer_types.read(c, function(index)
      return index % 2 == 0
    end))
    local mixture = llama_like.experts(c, "GptOss", { score = "top_then_softmax",
      count = c.num_local_experts, width = c.intermediate_size,
      router = { weight = "mlp.router", bias = true, native_softmax = true } })
    local experts = mixture.experts
    experts.parts, experts.transposed, experts.bias, experts.limit = nil, true, true, 7
    described.mlp = mixture
    return described
  end,
})
