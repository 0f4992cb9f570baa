-- T5 and FLAN-T5: encoder-decoders, whose second feed-forward linear stays in float32.
--
--   qspec run specs/t5.lua                          the models below that are on this machine
--   qspec run specs/t5.lua --model PATH --baseline PATH

family "t5"

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
-- transformers' own tests (tests/quantization/bnb) want the queries converted and `wo` in float32,
-- which T5 keeps there when it is loaded in float16. The ratios are what transformers 5.17 gives
-- for the configurations; its tests assert none. The texts are those of tests/quantization/ggml.

local t5_small = {
  model_type = "t5", dtype = "float16", d_model = 512, d_kv = 64, d_ff = 2048, num_layers = 6,
  num_heads = 8, vocab_size = 32128,
}

local flan_t5_small = {
  model_type = "t5", dtype = "float16", d_model = 512, d_kv = 64, d_ff = 1024, num_layers = 8,
  num_heads = 6, vocab_size = 32128, feed_forward_proj = "gated-gelu",
  tie_word_embeddings = false,
}

model "t5-small fp4" {
  checkpoint   = hub "google-t5/t5-small",
  architecture = t5_small,
  quantize     = bitsandbytes { bits = 4, type = "fp4" },
  layers       = {
    "*.SelfAttention.?", "*.EncDecAttention.?", "*.wi", class = "Linear4bit", dtype = "uint8",
  },
  excluded     = { "*.wo", dtype = "float32" },
  memory       = { ratio = 1.4766584258272735, tolerance = 1e-9 },
}

model "t5-small int8" {
  checkpoint   = hub "google-t5/t5-small",
  architecture = t5_small,
  quantize     = bitsandbytes { bits = 8 },
  layers       = {
    "*.SelfAttention.?", "*.EncDecAttention.?", "*.wi", class = "Linear8bitLt", dtype = "int8",
  },
  excluded     = { "*.wo", dtype = "float32" },
  memory       = { ratio = 1.2742049217641231, tolerance = 1e-9 },
}

model "flan-t5-small fp4" {
  checkpoint   = hub "google/flan-t5-small",
  architecture = flan_t5_small,
  quantize     = bitsandbytes { bits = 4, type = "fp4" },
  layers       = {
    "*.SelfAttention.?", "*.EncDecAttention.?", "*.wi_?", class = "Linear4bit", dtype = "uint8",
  },
  excluded     = { "*.wo", dtype = "float32" },
  memory       = { ratio = 1.6341962493966065, tolerance = 1e-9 },
}

model "flan-t5-small f16" {
  checkpoint = hub { "Felladrin/gguf-flan-t5-small", file = "flan-t5-small.F16.gguf" },
  generates  = {
    "translate English to German: How old are you?", max_new_tokens = 10,
    accepts = { "Wie ich er?" },
  },
}

model "flan-t5-small q8_0" {
  checkpoint = hub { "Felladrin/gguf-flan-t5-small", file = "flan-t5-small.Q8_0.gguf" },
  quantized  = { method = "gguf" },
  generates  = {
    "translate English to German: How old are you?", max_new_tokens = 10,
    accepts = { "Wie ich er?" },
  },
}
