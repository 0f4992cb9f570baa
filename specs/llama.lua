-- Llama 1 to 3 and all that calls itself llama, in any format; TinyLlama.
--
--   qspec run specs/llama.lua                          the models below that are on this machine
--   qspec run specs/llama.lua --model PATH --baseline PATH

family "llama"

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
-- The prompts, outputs and repositories are those of transformers' own tests (tests/quantization).
-- For TinyLlama they want the ratios 2.9461410686392764 and 1.7869331026479096, within 1e-5, which
-- older versions gave, with buffers of 2,944 bytes: 22 layers and the model each held the 32
-- frequencies of the rotary embedding. transformers 5.17 holds 256 bytes; the ratios below are
-- what it gives, 7.0e-6 and 1.7e-6 away.

local tinyllama = {
  model_type = "llama", dtype = "float16", hidden_size = 2048, intermediate_size = 5632,
  num_hidden_layers = 22, num_attention_heads = 32, num_key_value_heads = 4, vocab_size = 32000,
  max_position_embeddings = 2048, rms_norm_eps = 1e-5, tie_word_embeddings = false,
}

model "TinyLlama fp4" {
  checkpoint   = hub "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
  architecture = tinyllama,
  quantize     = bitsandbytes { bits = 4, type = "fp4" },
  layers       = { "*.self_attn.*", "*.mlp.*", class = "Linear4bit", dtype = "uint8" },
  excluded     = { "lm_head", "*.embed_tokens", "*norm" },
  memory       = { ratio = 2.9461480737712082, tolerance = 1e-9 },
}

model "TinyLlama int8" {
  checkpoint   = hub "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
  architecture = tinyllama,
  quantize     = bitsandbytes { bits = 8 },
  layers       = { "*.self_attn.*", "*.mlp.*", class = "Linear8bitLt", dtype = "int8" },
  excluded     = { "lm_head", "*.embed_tokens", "*norm" },
  memory       = { ratio = 1.786934820690623, tolerance = 1e-9 },
  generates    = {
    "Hello my name is", max_new_tokens = 10,
    accepts = {
      "Hello my name is John Smith and I am a software engineer. I",
      "Hello my name is John and I am a software engineer. I have",
    },
  },
}

model "TinyLlama int8 saved" {
  checkpoint = hub "Jiqing/TinyLlama-1.1B-Chat-v1.0-bnb-8bit",
  quantized  = { method = "bitsandbytes", bits = 8 },
  layers     = { "*.self_attn.*", "*.mlp.*", class = "Linear8bitLt", dtype = "int8" },
}

model "TinyLlama gptq act-order" {
  checkpoint = hub "hf-internal-testing/TinyLlama-1.1B-Chat-v0.3-GPTQ",
  quantized  = { method = "gptq", bits = 4 },
  layers     = { "*.self_attn.*", "*.mlp.*", class = "TorchLinear" },
  dtypes     = { "*.self_attn.*", "*.mlp.*", logical = "int4" },
  generates  = {
    "Hello, how are you ?", max_new_tokens = 10,
    accepts = { "Hello, how are you ? I'm doing good, thanks for asking." },
  },
}

model "Llama-3.2-1B fp8" {
  checkpoint   = hub "hf-internal-testing/Llama-3.2-1B-Instruct-fp8",
  architecture = {
    model_type = "llama", dtype = "bfloat16", hidden_size = 2048, intermediate_size = 8192,
    num_hidden_layers = 16, num_attention_heads = 32, num_key_value_heads = 8, head_dim = 64,
    vocab_size = 128256, tie_word_embeddings = true,
    quantization_config = { quant_method = "fp8", weight_block_size = { 128, 128 } },
  },
  quantized    = { method = "fp8" },
  layers       = { "*.self_attn.*", "*.mlp.*", class = "FP8Linear", dtype = "float8_e4m3fn" },
  generates    = {
    "Once upon a time", max_new_tokens = 10,
    accepts = { "Once upon a time, in a small village nestled in the rolling hills" },
  },
}

-- compressed-tensors. The tests give max_length = 50, of which the prompt takes nine tokens.

model "TinyLlama w8a8" {
  checkpoint = hub "nm-testing/tinyllama-w8a8-compressed-hf-quantizer",
  quantized  = { method = "compressed-tensors" },
  generates  = {
    "Paris is the capital of which country?", max_new_tokens = 41,
    accepts = {
      "Paris is the capital of which country?\n\n"
        .. "  1. Paris is the capital of which country?\n\n"
        .. "  1. Paris is the capital of which country?\n\n"
        .. "  1. Paris is the capital of which country?\n\n",
    },
  },
}

model "TinyLlama w4a16" {
  checkpoint = hub "nm-testing/tinyllama-w4a16-compressed-hf-quantizer",
  quantized  = { method = "compressed-tensors", bits = 4 },
  generates  = {
    "Paris is the capital of which country?", max_new_tokens = 41,
    accepts = {
      "Paris is the capital of which country?\n"
        .. "Answer: Paris is the capital of France.\n"
        .. "Question: Which country is the capital of which city?\n"
        .. "Answer: The capital of the city of New York is New York.\nQuestion: Which",
    },
  },
}

model "TinyLlama w8a16" {
  checkpoint = hub "nm-testing/tinyllama-w8a16-dense-hf-quantizer",
  quantized  = { method = "compressed-tensors" },
  generates  = {
    "Paris is the capital of which country?", max_new_tokens = 41,
    accepts = {
      "Paris is the capital of which country?\n"
        .. "A. France\nB. Germany\nC. Spain\nD. Italy\nE. Switzerland\n"
        .. "Q10. Which of the following is not a country in the European Union?\nA.",
    },
  },
}

model "Llama-3-8B fp8" {
  checkpoint = hub "nm-testing/Meta-Llama-3-8B-Instruct-fp8-hf_compat",
  quantized  = { method = "compressed-tensors" },
  generates  = {
    "Paris is the capital of which country?", max_new_tokens = 41,
    accepts = {
      "Paris is the capital of which country? France\n"
        .. "What is the name of the famous museum in Paris that is home to the Mona Lisa? "
        .. "The Louvre\nWhat is the name of the famous bridge in Paris that is often associated "
        .. "with the city",
    },
  },
}

-- The test wants more than 1.66; with one scale a tensor it is what LLM.int8() gives, 1.7685.
model "Llama-3.1-8B quark int8" {
  checkpoint = hub "amd/Llama-3.1-8B-Instruct-w-int8-a-int8-sym-test",
  baseline   = hub "unsloth/Meta-Llama-3.1-8B-Instruct",
  quantized  = { method = "quark" },
  memory     = { ratio = { 1.66, 2 } },
  generates  = {
    "Today I am in Paris and", max_new_tokens = 15,
    accepts = {
      "Today I am in Paris and I am not in Paris, France\nToday I am in Paris, Illinois",
      "Today I am in Paris and I am enjoying the city of light. I am not just any ordinary Paris",
      "Today I am in Paris and I am enjoying my day off! The sun is shining, the birds are",
      "Today I am in Paris and I'm here to tell you about it. It's a beautiful day,",
      "Today I am in Paris and I am not in Paris at all! I am not in Paris, but",
    },
  },
}

model "Llama-3-8B bitnet" {
  checkpoint = hub "HF1BitLLM/Llama3-8B-1.58-100B-tokens",
  quantized  = { method = "bitnet" },
  generates  = {
    "What are we having for dinner?", max_new_tokens = 11,
    accepts = {
      "What are we having for dinner? What are we going to do for fun this weekend?",
    },
  },
}

model "Llama-2-7B aqlm" {
  checkpoint = hub "BlackSamorez/Llama-2-7b-AQLM-2Bit-1x16-hf",
  quantized  = { method = "aqlm" },
  generates  = {
    "Hello my name is", max_new_tokens = 32,
    accepts = {
      "Hello my name is Katie. I am a 20 year old college student. I am a very outgoing person. "
        .. "I love to have fun and be active. I",
    },
  },
}

model "Llama-3.1-8B vptq" {
  checkpoint = hub "VPTQ-community/Meta-Llama-3.1-8B-Instruct-v12-k65536-4096-woft",
  quantized  = { method = "vptq" },
  generates  = {
    "Hello my name is", max_new_tokens = 32,
    accepts = {
      "Hello my name is Sarah and I am a 25 year old woman from the United States. I am a "
        .. "college graduate and I am currently working as a marketing specialist for a small",
    },
  },
}

model "Llama-2-7B spqr" {
  checkpoint = hub "elvircrn/Llama-2-7b-SPQR-3Bit-16x16-red_pajama-hf",
  quantized  = { method = "spqr" },
  generates  = {
    "Hello my name is", max_new_tokens = 32,
    accepts = {
      "Hello my name is Jesse. (I'm also known as Jesse) I'm a 25 year old male from United "
        .. "States. I'm looking for",
    },
  },
}

-- GGUF, from tests/quantization/ggml.

local function tinyllama_gguf(repository, file, text)
  return {
    checkpoint = hub { repository, file = file },
    quantized  = { method = "gguf" },
    generates  = { "Hello", max_new_tokens = 10, accepts = { text } },
  }
end

for _, case in ipairs {
  { "Q4_0", "Hello, World!\n\nStep 3: Add" },
  { "Q5_0", "Hello, World!\n\n5. Use a library" },
  { "Q8_0", "Hello, World!\n\n5. Use a library" },
} do
  local type, text = case[1], case[2]
  model("TinyLlama " .. type) (tinyllama_gguf("TheBloke/TinyLlama-1.1B-Chat-v1.0-GGUF",
    "tinyllama-1.1b-chat-v1.0." .. type .. ".gguf", text))
end

for _, case in ipairs {
  { "IQ1_S", "Hello, I'm a friend of mine, I" },
  { "IQ1_M", "Hello, I am interested in purching a copy of" },
  { "IQ2_XXS", "Hello, I'm a software engineer. I'" },
  { "IQ2_XS", "Hello World!\n\n```\n<|user|" },
  { "IQ2_S", "Hello World!\n\n```\n<|user|" },
  { "IQ3_XXS", "Hello, I am interested in your product. Can you" },
  { "IQ3_S", "Hello, World!\n\n5. Python:\n" },
  { "IQ4_XS", "Hello, world!\n\n5. Using a loop" },
  { "IQ4_NL", "Hello, world!\n\n5. Using a loop" },
} do
  local type, text = case[1], case[2]
  model("TinyLlama " .. type) (tinyllama_gguf("duyntnet/TinyLlama-1.1B-Chat-v1.0-imatrix-GGUF",
    "TinyLlama-1.1B-Chat-v1.0-" .. type .. ".gguf", text))
end

model "Llama-3-8B q4_k_m" {
  checkpoint = hub { "NousResearch/Meta-Llama-3-8B-GGUF", file = "Meta-Llama-3-8B-Q4_K_M.gguf" },
  quantized  = { method = "gguf" },
  generates  = {
    "Hello", max_new_tokens = 10,
    accepts = { "Hello, I am interested in [The Park]\nThe" },
  },
}
