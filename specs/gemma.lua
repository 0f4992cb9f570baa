-- Gemma 1 and 2, and the text models of Gemma 3.
--
--   qspec run specs/gemma.lua                          the models below that are on this machine
--   qspec run specs/gemma.lua --model PATH --baseline PATH

family { "gemma", "gemma2", "gemma3_text" }

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
-- The texts are those of transformers' own tests (tests/quantization/ggml). The ratios are what
-- transformers 5.17 gives for the configurations; its tests assert none. The scale of Gemma's
-- embeddings is a buffer, 2 bytes of these footprints.

local gemma_2b = {
  model_type = "gemma", dtype = "float16", hidden_size = 2048, intermediate_size = 16384,
  num_hidden_layers = 18, num_attention_heads = 8, num_key_value_heads = 1, head_dim = 256,
  vocab_size = 256000, tie_word_embeddings = true,
}

local gemma_2_2b = {
  model_type = "gemma2", dtype = "float16", hidden_size = 2304, intermediate_size = 9216,
  num_hidden_layers = 26, num_attention_heads = 8, num_key_value_heads = 4, head_dim = 256,
  vocab_size = 256000, tie_word_embeddings = true,
}

model "gemma-2b nf4" {
  checkpoint   = hub "google/gemma-2b",
  architecture = gemma_2b,
  quantize     = bitsandbytes { bits = 4, type = "nf4" },
  layers       = { "*.self_attn.*", "*.mlp.*", class = "Linear4bit", dtype = "uint8" },
  excluded     = { "lm_head", "*.embed_tokens", "*norm" },
  memory       = { ratio = 2.4574745106901097, tolerance = 1e-9 },
}

model "gemma-2-2b int8" {
  checkpoint   = hub "google/gemma-2-2b-it",
  architecture = gemma_2_2b,
  quantize     = bitsandbytes { bits = 8 },
  layers       = { "*.self_attn.*", "*.mlp.*", class = "Linear8bitLt", dtype = "int8" },
  excluded     = { "lm_head", "*.embed_tokens", "*norm" },
  memory       = { ratio = 1.6317158867250832, tolerance = 1e-9 },
}

model "gemma-2-2b q3_k_l" {
  checkpoint = hub { "bartowski/gemma-2-2b-it-GGUF", file = "gemma-2-2b-it-Q3_K_L.gguf" },
  quantized  = { method = "gguf" },
  generates  = {
    "Hello", max_new_tokens = 10,
    accepts = { "Hello! 👋\n\nI'm trying to create a" },
  },
}

model "gemma-2-2b q8_0" {
  checkpoint = hub { "bartowski/gemma-2-2b-it-GGUF", file = "gemma-2-2b-it-Q8_0.gguf" },
  quantized  = { method = "gguf" },
  generates  = {
    "Hello", max_new_tokens = 10,
    accepts = { "Hello! 👋\n\nI'm a large language model" },
  },
}

model "gemma-3-1b q4_0" {
  checkpoint = hub { "google/gemma-3-1b-it-qat-q4_0-gguf", file = "gemma-3-1b-it-q4_0.gguf" },
  quantized  = { method = "gguf" },
  generates  = {
    "Hello", max_new_tokens = 10,
    accepts = { 'Hello with the prompt, "What is the best way' },
  },
}
