-- Falcon. Its linears are a class of their own, FalconLinear, which bitsandbytes leaves dense.
--
--   qspec run specs/falcon.lua                          the models below that are on this machine
--   qspec run specs/falcon.lua --model PATH --baseline PATH

family "falcon"

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
-- The texts are those of transformers' own tests (tests/quantization/ggml).

local falcon_7b = {
  model_type = "falcon", dtype = "float16", hidden_size = 4544, num_hidden_layers = 32,
  num_attention_heads = 71, vocab_size = 65024, multi_query = true, parallel_attn = true,
  new_decoder_architecture = false, bias = false, alibi = false,
}

-- The subclasses of Linear are left alone without a word: a Falcon "in 4 bits" is not smaller.
model "falcon-7b nf4" {
  architecture = falcon_7b,
  quantize     = bitsandbytes { bits = 4, type = "nf4" },
  memory       = { ratio = 1, tolerance = 0 },
}

model "falcon-7b q2_k" {
  checkpoint = hub { "xaviviro/falcon-7b-quantized-gguf", file = "falcon-7b-q2_k.gguf" },
  quantized  = { method = "gguf" },
  generates  = {
    "Hello", max_new_tokens = 16,
    accepts = { "Hello All,\nI am new to this forum.\nI am using the " },
  },
}

model "falcon-40b q2_k" {
  checkpoint = hub { "maddes8cht/tiiuae-falcon-40b-gguf", file = "tiiuae-falcon-40b-Q2_K.gguf" },
  quantized  = { method = "gguf" },
  generates  = {
    "Hello", max_new_tokens = 10,
    accepts = { "Hello All,\nI am new to this forum." },
  },
}
