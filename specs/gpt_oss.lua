-- gpt-oss: experts in MXFP4, the rest in bfloat16.
--
--   qspec run specs/gpt_oss.lua                          the models below that are on this machine
--   qspec run specs/gpt_oss.lua --model PATH --baseline PATH

family "gpt_oss"

files {}
quantized {}
config {}
layers {}
excluded {}
dtypes {}
companions {}
tied {}
fallbacks {}
memory {}
numerics {}

-- Models ------------------------------------------------------------------------------------------
--
-- The texts are those of transformers' own tests (tests/quantization/mxfp4), older and newer. They
-- compare footprints only by order. The ratio of bitsandbytes is what transformers 5.17 gives for
-- the configuration: the experts are one parameter a layer, and stay dense.

local function gpt_oss_20b(quantization_config)
  return {
    model_type = "gpt_oss", dtype = "bfloat16", hidden_size = 2880, intermediate_size = 2880,
    num_hidden_layers = 24, num_attention_heads = 64, num_key_value_heads = 8, head_dim = 64,
    vocab_size = 201088, num_local_experts = 32, num_experts_per_tok = 4,
    tie_word_embeddings = false, quantization_config = quantization_config,
  }
end

model "gpt-oss-20b" {
  checkpoint   = hub "openai/gpt-oss-20b",
  architecture = gpt_oss_20b {
    quant_method = "mxfp4",
    modules_to_not_convert = {
      "model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head",
    },
  },
  quantized    = { method = "mxfp4", share = 0.9 },
  excluded     = { "lm_head", "*.embed_tokens", "*.self_attn.*", "*.router", "*norm" },
  generates    = {
    "Once upon a time", max_new_tokens = 10,
    accepts = {
      "Once upon a time, in a small town, there lived a young",
      "Once upon a time, in a small village, there lived a young",
    },
  },
}

model "gpt-oss-20b nf4" {
  architecture = gpt_oss_20b(),
  quantize     = bitsandbytes { bits = 4, type = "nf4" },
  memory       = { ratio = 1.0233770828884996, tolerance = 1e-9 },
}
