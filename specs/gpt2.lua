-- GPT-2 and its bitsandbytes quantizations: Conv1D layers, whose weights are transposed.
--
--   qspec run specs/gpt2.lua                          the models below that are on this machine
--   qspec run specs/gpt2.lua --model PATH --baseline PATH

family "gpt2"

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
-- The prompts and outputs are those of transformers' own tests (tests/quantization/bnb, ggml). The
-- ratios are not: those tests want 3.3191854854152187 and 1.8720077507258357, which older versions
-- gave, when each of the 48 layers held a mask of 1024 x 1024 bytes and a scalar of 2 bytes as
-- buffers: 50,331,744 bytes on both sides. transformers 5.17 has no such buffers, and the values
-- below are what it gives; tests/stdlib/specs_test.lua derives the one pair from the other.

local gpt2_xl = {
  model_type = "gpt2", dtype = "float16", n_embd = 1600, n_layer = 48, n_head = 25,
  n_positions = 1024, vocab_size = 50257,
}

model "gpt2-xl fp4" {
  checkpoint   = hub "openai-community/gpt2-xl",
  architecture = gpt2_xl,
  quantize     = bitsandbytes { bits = 4, type = "fp4" },
  layers       = { "*.attn.*", "*.mlp.*", class = "Linear4bit", dtype = "uint8" },
  excluded     = { "lm_head" },
  memory       = { ratio = 3.4483983748189027, tolerance = 1e-9 },
}

model "gpt2-xl int8" {
  checkpoint   = hub "openai-community/gpt2-xl",
  architecture = gpt2_xl,
  quantize     = bitsandbytes { bits = 8 },
  layers       = { "*.attn.*", "*.mlp.*", class = "Linear8bitLt", dtype = "int8" },
  excluded     = { "lm_head" },
  memory       = { ratio = 1.8987589402914336, tolerance = 1e-9 },
  generates    = {
    "Hello my name is", max_new_tokens = 10,
    accepts = {
      "Hello my name is John Doe, and I'm a big fan of",
      "Hello my name is John Doe, and I'm a fan of the",
      "Hello my name is John Doe, and I am a member of the",
      "Hello my name is John Doe. I am a man. I am",
      "Hello my name is John, and I'm a writer. I'm",
    },
  },
}

model "gpt2-xl int8 saved" {
  checkpoint = hub "ybelkada/gpt2-xl-8bit",
  quantized  = { method = "bitsandbytes", bits = 8 },
  layers     = { "*.attn.*", "*.mlp.*", class = "Linear8bitLt", dtype = "int8" },
}

model "gpt2 q8_0" {
  checkpoint = hub { "mradermacher/gpt2-GGUF", file = "gpt2.Q8_0.gguf" },
  quantized  = { method = "gguf" },
  generates  = {
    "Hello", max_new_tokens = 10,
    accepts = { "Hello, I'm sorry. I'm sorry. I" },
  },
}

model "gpt2-xl q6_k" {
  checkpoint = hub {
    "RichardErkhov/openai-community_-_gpt2-xl-gguf", file = "gpt2-xl.Q6_K.gguf",
  },
  quantized  = { method = "gguf" },
  generates  = {
    "Hello", max_new_tokens = 10,
    accepts = { "Hello, I'm a newbie to the world of" },
  },
}
