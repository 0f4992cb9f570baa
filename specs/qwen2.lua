-- Qwen1.5, Qwen2 and Qwen2.5, in any format.
--
--   qspec run specs/qwen2.lua                          the models below that are on this machine
--   qspec run specs/qwen2.lua --model PATH --baseline PATH

family "qwen2"

files {}
sidecars {}
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
-- The texts are those of transformers' own tests (tests/quantization/autoround, ggml). The ratios
-- are what transformers 5.17 gives for the configurations; its tests assert none.

local qwen2_5_1_5b = {
  model_type = "qwen2", dtype = "float16", hidden_size = 1536, intermediate_size = 8960,
  num_hidden_layers = 28, num_attention_heads = 12, num_key_value_heads = 2, vocab_size = 151936,
  rms_norm_eps = 1e-6, tie_word_embeddings = true,
}

local qwen2_5_0_5b = {
  model_type = "qwen2", dtype = "float16", hidden_size = 896, intermediate_size = 4864,
  num_hidden_layers = 24, num_attention_heads = 14, num_key_value_heads = 2, vocab_size = 151936,
  rms_norm_eps = 1e-6, tie_word_embeddings = true,
}

model "Qwen2.5-1.5B nf4" {
  checkpoint   = hub "Qwen/Qwen2.5-1.5B-Instruct",
  architecture = qwen2_5_1_5b,
  quantize     = bitsandbytes { bits = 4, type = "nf4" },
  layers       = { "*.self_attn.*", "*.mlp.*", class = "Linear4bit", dtype = "uint8" },
  excluded     = { "lm_head", "*.embed_tokens", "*norm" },
  memory       = { ratio = 2.751386955432636, tolerance = 1e-9 },
}

model "Qwen2.5-0.5B int8" {
  checkpoint   = hub "Qwen/Qwen2.5-0.5B-Instruct",
  architecture = qwen2_5_0_5b,
  quantize     = bitsandbytes { bits = 8 },
  layers       = { "*.self_attn.*", "*.mlp.*", class = "Linear8bitLt", dtype = "int8" },
  excluded     = { "lm_head", "*.embed_tokens", "*norm" },
  memory       = { ratio = 1.5677630681042718, tolerance = 1e-9 },
}

model "Qwen2.5-1.5B auto-round" {
  checkpoint = hub "OPEA/Qwen2.5-1.5B-Instruct-int4-sym-inc",
  quantized  = { bits = 4 },  -- by auto-round, which calls itself by two names
  dtypes     = { "*.self_attn.*", "*.mlp.*", logical = "int4" },
  excluded   = { "lm_head", "*.embed_tokens", "*norm" },
  generates  = {
    "There is a girl who likes adventure,", max_new_tokens = 40,
    accepts = {
      "There is a girl who likes adventure, and she has been exploring the world for many years. "
        .. "She travels to different countries and cultures, trying new things every day. One of "
        .. "her favorite places to visit is a small village in the mountains where",
      "There is a girl who likes adventure, and she has been exploring the world for many years. "
        .. "She has visited every country in Europe and has even traveled to some of the most "
        .. "remote parts of Africa. She enjoys hiking through the mountains and discovering",
      "There is a girl who likes adventure, and she has been exploring the world for many years. "
        .. "She has visited every country in Europe and has even traveled to some of the most "
        .. "remote parts of Africa. She has also climbed mountains and explored caves",
    },
  },
}

for _, case in ipairs {
  { "Q2_K", "Hello, I'm a 22 year old female" },
  { "Q3_K", "Hello\n\nI am trying to create a simple program that" },
  { "Q4_K", "Hello\n\nI am trying to create a simple program that" },
  { "Q5_K", "Helloveda is a 1999 Indian" },
  { "Q6_K", "Hello\n\nI am trying to create a simple program that" },
} do
  local type, text = case[1], case[2]
  model("Qwen2.5-0.5B " .. type) {
    checkpoint = hub {
      "legraphista/Qwen2.5-0.5B-Instruct-IMat-GGUF",
      file = "Qwen2.5-0.5B-Instruct." .. type .. ".gguf",
    },
    quantized  = { method = "gguf" },
    generates  = { "Hello", max_new_tokens = 10, accepts = { text } },
  }
end

model "Qwen1.5-0.5B q4_0" {
  checkpoint = hub { "Qwen/Qwen1.5-0.5B-Chat-GGUF", file = "qwen1_5-0_5b-chat-q4_0.gguf" },
  quantized  = { method = "gguf" },
  generates  = {
    "Hello", max_new_tokens = 10,
    accepts = { "Hello.jsoup\n\nI am a beginner" },
  },
}
