-- Mistral and its quantizations.
--
--   qspec run specs/mistral.lua                          the models below that are on this machine
--   qspec run specs/mistral.lua --model PATH --baseline PATH

family "mistral"

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
-- The texts are those of transformers' own tests (tests/quantization/autoawq, ggml). The ratios are
-- what transformers 5.17 gives for the configuration of Mistral-7B-v0.1; its tests assert none.

local function mistral_7b(quantization_config)
  return {
    model_type = "mistral", dtype = "float16", hidden_size = 4096, intermediate_size = 14336,
    num_hidden_layers = 32, num_attention_heads = 32, num_key_value_heads = 8, vocab_size = 32000,
    max_position_embeddings = 32768, rms_norm_eps = 1e-5, sliding_window = 4096,
    tie_word_embeddings = false, quantization_config = quantization_config,
  }
end

model "Mistral-7B nf4" {
  checkpoint   = hub "mistralai/Mistral-7B-v0.1",
  architecture = mistral_7b(),
  quantize     = bitsandbytes { bits = 4, type = "nf4" },
  layers       = { "*.self_attn.*", "*.mlp.*", class = "Linear4bit", dtype = "uint8" },
  excluded     = { "lm_head", "*.embed_tokens", "*norm" },
  memory       = { ratio = 3.6078041930750557, tolerance = 1e-9 },
}

model "Mistral-7B int8" {
  checkpoint   = hub "mistralai/Mistral-7B-v0.1",
  architecture = mistral_7b(),
  quantize     = bitsandbytes { bits = 8 },
  layers       = { "*.self_attn.*", "*.mlp.*", class = "Linear8bitLt", dtype = "int8" },
  excluded     = { "lm_head", "*.embed_tokens", "*norm" },
  memory       = { ratio = 1.9300624997910487, tolerance = 1e-9 },
}

-- The first text is that of the Triton kernel, the others of exllama.
model "Mistral-7B awq" {
  checkpoint   = hub "TheBloke/Mistral-7B-v0.1-AWQ",
  architecture = mistral_7b { quant_method = "awq", bits = 4, group_size = 128, version = "gemm" },
  quantized    = { method = "awq", bits = 4 },
  layers       = { "*.self_attn.*", "*.mlp.*", class = "AwqTorchLinear" },
  dtypes       = { "*.self_attn.*", "*.mlp.*", logical = "int4" },
  excluded     = { "lm_head", "*.embed_tokens", "*norm" },
  generates    = {
    "Hello my name is", max_new_tokens = 40,
    accepts = {
      "Hello my name is Katie and I am a 20 year old student at the University of North Carolina "
        .. "at Chapel Hill. I am a junior and I am majoring in Journalism and minoring in Spanish",
      "Hello my name is Katie and I am a 20 year old student from the UK. I am currently studying "
        .. "for a degree in English Literature and History at the University of York. I am a very "
        .. "out",
      "Hello my name is Katie and I am a 20 year old student from the UK. I am currently studying "
        .. "for a degree in English Literature and History at the University of York. I am a very "
        .. "creative",
    },
  },
}

model "Mistral-7B-Instruct q4_0" {
  checkpoint = hub {
    "TheBloke/Mistral-7B-Instruct-v0.2-GGUF",
    file = "mistral-7b-instruct-v0.2.Q4_0.gguf",
  },
  quantized  = { method = "gguf" },
  generates  = {
    "Hello", max_new_tokens = 10,
    accepts = { "Hello,\n\nI'm trying to create a" },
  },
}
