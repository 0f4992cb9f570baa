-- Mixtral and its quantizations: experts, which most methods leave dense without a word.
--
--   qspec run specs/mixtral.lua                          the models below that are on this machine
--   qspec run specs/mixtral.lua --model PATH --baseline PATH

family "mixtral"

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
-- transformers 5 holds the experts of a layer in one parameter of three dimensions, which is no
-- Linear: bitsandbytes leaves it dense, so that a model "in 4 bits" is 1.02 times smaller. The
-- ratios say so; they are what transformers 5.17 gives for the configuration.

local mixtral_8x7b = {
  model_type = "mixtral", dtype = "float16", hidden_size = 4096, intermediate_size = 14336,
  num_hidden_layers = 32, num_attention_heads = 32, num_key_value_heads = 8, vocab_size = 32000,
  max_position_embeddings = 32768, rms_norm_eps = 1e-5, num_local_experts = 8,
  num_experts_per_tok = 2, tie_word_embeddings = false,
}

model "Mixtral-8x7B nf4" {
  architecture = mixtral_8x7b,
  quantize     = bitsandbytes { bits = 4, type = "nf4" },
  layers       = { "*.self_attn.*", class = "Linear4bit", dtype = "uint8" },
  excluded     = { "lm_head", "*.embed_tokens", "*norm", "*.experts.*" },
  memory       = { ratio = 1.022028830431266, tolerance = 1e-9 },
}

model "Mixtral-8x7B int8" {
  architecture = mixtral_8x7b,
  quantize     = bitsandbytes { bits = 8 },
  layers       = { "*.self_attn.*", class = "Linear8bitLt", dtype = "int8" },
  excluded     = { "lm_head", "*.embed_tokens", "*norm", "*.experts.*" },
  memory       = { ratio = 1.0145788353899472, tolerance = 1e-9 },
}

model "Mixtral-tiny awq" {  -- tests/quantization/autoawq: its routers stay dense
  checkpoint = hub "hf-internal-testing/Mixtral-tiny-AWQ",
  quantized  = { method = "awq", bits = 4 },
  excluded   = { "*.gate", "lm_head" },
}
