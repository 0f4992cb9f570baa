-- BLOOM and its bitsandbytes quantizations.
--
--   qspec run specs/bloom.lua                          the models below that are on this machine
--   qspec run specs/bloom.lua --model PATH             one checkpoint of yours
--   qspec run specs/bloom.lua --model PATH --baseline PATH

family "bloom"

-- What every BLOOM checkpoint must satisfy, quantized or not --------------------------------------

files {}
sidecars {}
quantized {}
config { round_trip = true }
layers {}
excluded { "*layernorm*", "*ln_f" }  -- embeddings and head: as the config says; ggml packs them
dtypes {}
companions {}
tied {}
fallbacks {}
memory {}
numerics {}

-- A trained 4-bit weight uses its whole codebook; one that lost its scales does not.
check "no quantized layer has a dead block" {
  needs = "weights",
  run = function(ctx)
    for _, module in ipairs(ctx:modules()) do
      if module:is_quantized() then
        ctx:expect("zero scales", module:scales():eq(0):sum(), "==", 0, module:name())
      end
    end
  end,
}

-- Models ------------------------------------------------------------------------------------------

model "tiny" {  -- ships with qspec
  checkpoint = example "bloom-tiny-bnb-nf4",
  baseline   = example "bloom-tiny",
  quantized  = { method = "bitsandbytes", bits = 4, type = "nf4" },
  layers     = { "*.self_attention.*", "*.mlp.*", class = "Linear4bit", dtype = "uint8" },
  excluded   = { "lm_head", "*word_embeddings*", "*layernorm*", "*ln_f", dtype = "float16" },
  dtypes     = { "*.self_attention.*", "*.mlp.*", storage = "uint8", logical = "nf4" },
  memory     = { ratio = { 2.9, 3.1 }, transformers = 2355200 },
  config     = { expect = { ["quantization_config.bnb_4bit_compute_dtype"] = "float16" } },
  numerics   = { sqnr_db = 18 },
  generates  = {
    "Hello my name is", "The capital of France is", "Two plus three is", "The day after Monday is",
    accepts = {
      "Hello my name is Felix and I am a student from Warsaw. I",
      "The capital of France is Paris. The letters are q r s t u",
      "Two plus three is five. The capital of Austria is Vienna. The",
      "The day after Monday is Tuesday. The day after Saturday is Sunday. The",
    },
  },
  invariant  = { "Hello my name is", batch = { 2 }, max_new_tokens = 2 },
}

model "tiny quantized on load" {
  checkpoint = example "bloom-tiny",
  quantize   = bitsandbytes {
    bits = 4, type = "nf4", double_quant = true, compute_dtype = "float16",
  },
  memory     = { ratio = { 2.9, 3.1 }, transformers = 2355200 },
}

-- The numbers below are those of transformers' own tests (tests/quantization/bnb, gptq, ggml). The
-- ratios follow from the configuration alone and are checked without weights.

local bloom_1b7 = {
  model_type = "bloom", dtype = "float16", hidden_size = 2048, n_head = 16, n_layer = 24,
  vocab_size = 250880, layer_norm_epsilon = 1e-5,
  bos_token_id = 1, eos_token_id = 2, pad_token_id = 3,
}

model "bloom-1b7 fp4" {
  checkpoint   = hub "bigscience/bloom-1b7",
  architecture = bloom_1b7,
  quantize     = bitsandbytes { bits = 4, type = "fp4" },
  layers       = { "*.self_attention.*", "*.mlp.*", class = "Linear4bit", dtype = "uint8" },
  excluded     = { "lm_head", "*word_embeddings*", "*layernorm*", "*ln_f" },
  memory       = { ratio = 2.109659552692574, tolerance = 1e-9 },
  generates    = {
    "Hello my name is", max_new_tokens = 10,
    accepts = {
      "Hello my name is John and I am a professional photographer. I",
      "Hello my name is John.\nI am a friend of your father.\n",
      "Hello my name is John Doe, I am a student at the University",
      "Hello my name is John and I am 25 years old.",
      "Hello my name is John and I am a student at the University of",
      "Hello my name is Alina. I have been working as a professional",
    },
  },
}

model "bloom-1b7 int8" {
  checkpoint   = hub "bigscience/bloom-1b7",
  architecture = bloom_1b7,
  quantize     = bitsandbytes { bits = 8 },
  layers       = { "*.self_attention.*", "*.mlp.*", class = "Linear8bitLt", dtype = "int8" },
  excluded     = { "lm_head", "*word_embeddings*", "*layernorm*", "*ln_f" },
  memory       = { ratio = 1.5400250499901118, tolerance = 1e-9 },
  generates    = {
    "Hello my name is", max_new_tokens = 10,
    accepts = {
      "Hello my name is John.\nI am a friend of the family.\n",
      "Hello my name is John.\nI am a friend of your father.\n",
      "Hello my name is John and I am a professional photographer based in",
    },
  },
}

model "bloom-1b7 int8 saved" {
  checkpoint = hub "ybelkada/bloom-1b7-8bit",
  quantized  = { method = "bitsandbytes", bits = 8 },
  layers     = { "*.self_attention.*", "*.mlp.*", class = "Linear8bitLt", dtype = "int8" },
}

-- The GPTQ tests quantize bloom-560m themselves, with calibration texts; the model that they make
-- is looked for beside this file. They want 1.664253062 to four places, and optimum's 1.577 to
-- three. Those are the linears of AutoGPTQ; GPTQModel's hold 64 bytes of shifts more as buffers, in
-- each of 96 and 72 modules, and then the ratios are the ones below.

local function bloom_560m_gptq(modules)
  return {
    model_type = "bloom", dtype = "float16", hidden_size = 1024, n_head = 16, n_layer = 24,
    vocab_size = 250880, layer_norm_epsilon = 1e-5,
    bos_token_id = 1, eos_token_id = 2, pad_token_id = 3,
    quantization_config = {
      quant_method = "gptq", bits = 4, group_size = 128, sym = true, desc_act = false,
      modules_in_block_to_quantize = modules,
    },
  }
end

model "bloom-560m gptq" {
  checkpoint   = path "bloom-560m-gptq-4bit",
  architecture = bloom_560m_gptq(),
  quantized    = { method = "gptq", bits = 4 },
  layers       = { "*.self_attention.*", "*.mlp.*", class = "TorchLinear" },
  dtypes       = { "*.self_attention.*", "*.mlp.*", logical = "int4" },
  memory       = { ratio = 1.664237847523793, tolerance = 1e-9 },
  generates    = {
    "Hello my name is", max_new_tokens = 10,
    accepts = {
      "Hello my name is John and I am a professional photographer. I",
      "Hello my name is John, I am a professional photographer and I",
      "Hello my name is John, I am a student in the University of",
      "Hello my name is John and I am a very good looking man.",
      "Hello my name is Alyson, I am a student in the",
      "Hello my name is Alyson and I am a very sweet,",
      "Hello my name is Aiden, I am a student at the University",
      "Hello my name is Nate and I am a member of the N",
      "Hello my name is Nellie and I am a student at the",
      "Hello my name is Nate and I am a new member of the",
    },
  },
}

model "bloom-560m gptq attention output dense" {
  architecture = bloom_560m_gptq {
    { "self_attention.query_key_value" }, { "mlp.dense_h_to_4h" }, { "mlp.dense_4h_to_h" },
  },
  memory       = { ratio = 1.5770421147244513, tolerance = 1e-9 },
}

model "bloom-560m q8_0" {
  checkpoint = hub { "afrideva/bloom-560m-GGUF", file = "bloom-560m.q8_0.gguf" },
  quantized  = { method = "gguf" },
  generates  = {
    "Hello", max_new_tokens = 10,
    accepts = { "Hello, I just want to say that I am just" },
  },
}

model "bloom-560m fp16" {
  checkpoint = hub { "afrideva/bloom-560m-GGUF", file = "bloom-560m.fp16.gguf" },
  generates  = {
    "Hello", max_new_tokens = 10,
    accepts = { "Hello, I just want to say that I am very" },
  },
}
