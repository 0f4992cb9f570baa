-- Phi-1 to Phi-3.
--
--   qspec run specs/phi.lua                          the models below that are on this machine
--   qspec run specs/phi.lua --model PATH --baseline PATH

family { "phi", "phi3" }

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
-- The text is that of transformers' own tests (tests/quantization/ggml). The ratios are what
-- transformers 5.17 gives for the configurations; its tests assert none.

local phi_2 = {
  model_type = "phi", dtype = "float16", hidden_size = 2560, intermediate_size = 10240,
  num_hidden_layers = 32, num_attention_heads = 32, vocab_size = 51200,
  partial_rotary_factor = 0.4, tie_word_embeddings = false,
}

local phi_3_mini = {
  model_type = "phi3", dtype = "float16", hidden_size = 3072, intermediate_size = 8192,
  num_hidden_layers = 32, num_attention_heads = 32, vocab_size = 32064,
  tie_word_embeddings = false,
}

model "phi-2 nf4" {
  checkpoint   = hub "microsoft/phi-2",
  architecture = phi_2,
  quantize     = bitsandbytes { bits = 4, type = "nf4" },
  layers       = { "*.self_attn.*", "*.mlp.*", class = "Linear4bit", dtype = "uint8" },
  excluded     = { "lm_head", "*.embed_tokens", "*norm" },
  memory       = { ratio = 3.1153745319413217, tolerance = 1e-9 },
}

model "Phi-3-mini int8" {
  checkpoint   = hub "microsoft/Phi-3-mini-4k-instruct",
  architecture = phi_3_mini,
  quantize     = bitsandbytes { bits = 8 },
  layers       = { "*.self_attn.*", "*.mlp.*", class = "Linear8bitLt", dtype = "int8" },
  excluded     = { "lm_head", "*.embed_tokens", "*norm" },
  memory       = { ratio = 1.901848030914331, tolerance = 1e-9 },
}

model "Phi-3-mini q4" {
  checkpoint = hub {
    "microsoft/Phi-3-mini-4k-instruct-gguf",
    file = "Phi-3-mini-4k-instruct-q4.gguf",
  },
  quantized  = { method = "gguf" },
  generates  = {
    "Hello", max_new_tokens = 10,
    accepts = { "Hello, I've been reading about the impact of" },
  },
}
