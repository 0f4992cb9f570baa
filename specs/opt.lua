-- OPT and its quantizations.
--
--   qspec run specs/opt.lua                          the models below that are on this machine
--   qspec run specs/opt.lua --model PATH --baseline PATH

family "opt"

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
-- The models are those of transformers' own tests (tests/quantization/bnb, gptq, autoawq). They
-- compare a model with itself after saving, and give no texts. The ratios follow from the
-- configuration as transformers 5.17 counts it.

local function opt_125m(quantization_config)
  return {
    model_type = "opt", dtype = "float16", hidden_size = 768, num_hidden_layers = 12,
    num_attention_heads = 12, ffn_dim = 3072, word_embed_proj_dim = 768,
    max_position_embeddings = 2048, vocab_size = 50272, quantization_config = quantization_config,
  }
end

local opt_350m = {
  model_type = "opt", dtype = "float16", hidden_size = 1024, num_hidden_layers = 24,
  num_attention_heads = 16, ffn_dim = 4096, word_embed_proj_dim = 512,
  max_position_embeddings = 2048, vocab_size = 50272, do_layer_norm_before = false,
}

local function opt_125m_in_4_bits(type, double_quant)
  return {
    checkpoint   = hub("facebook/opt-125m", "refs/pr/49"),
    architecture = opt_125m(),
    quantize     = bitsandbytes {
      bits = 4, type = type, double_quant = double_quant, compute_dtype = "bfloat16",
    },
    layers       = { "*.self_attn.*", "*.fc1", "*.fc2", class = "Linear4bit", dtype = "uint8" },
    excluded     = { "lm_head", "*embed*", "*layer_norm" },
    memory       = { ratio = 2.0351437699680512, tolerance = 1e-9 },
  }
end

model "opt-125m nf4 double" (opt_125m_in_4_bits("nf4", true))
model "opt-125m nf4" (opt_125m_in_4_bits("nf4", false))
model "opt-125m fp4 double" (opt_125m_in_4_bits("fp4", true))
model "opt-125m fp4" (opt_125m_in_4_bits("fp4", false))

-- Its embeddings are 512 wide: two linears more, project_in and project_out, are converted.
model "opt-350m fp4" {
  checkpoint   = hub("facebook/opt-350m", "refs/pr/40"),
  architecture = opt_350m,
  quantize     = bitsandbytes { bits = 4, type = "fp4" },
  layers       = {
    "*.self_attn.*", "*.fc1", "*.fc2", "*.project_in", "*.project_out",
    class = "Linear4bit", dtype = "uint8",
  },
  excluded     = { "lm_head", "*embed*", "*layer_norm" },
  memory       = { ratio = 3.1871070731755387, tolerance = 1e-9 },
}

model "opt-350m int8" {
  checkpoint   = hub("facebook/opt-350m", "refs/pr/40"),
  architecture = opt_350m,
  quantize     = bitsandbytes { bits = 8 },
  layers       = {
    "*.self_attn.*", "*.fc1", "*.fc2", "*.project_in", "*.project_out",
    class = "Linear8bitLt", dtype = "int8",
  },
  excluded     = { "lm_head", "*embed*", "*layer_norm" },
  memory       = { ratio = 1.84328587874574, tolerance = 1e-9 },
}

model "opt-125m gptq" {
  checkpoint   = hub "ybelkada/opt-125m-gptq-4bit",
  architecture = opt_125m { quant_method = "gptq", bits = 4, group_size = 128, sym = true },
  quantized    = { method = "gptq", bits = 4 },
  layers       = { "*.self_attn.*", "*.fc1", "*.fc2", class = "TorchLinear" },
  dtypes       = { "*.self_attn.*", "*.fc1", "*.fc2", logical = "int4" },
}

model "opt-125m awq" {
  checkpoint   = hub "casperhansen/opt-125m-awq",
  architecture = opt_125m { quant_method = "awq", bits = 4, group_size = 128, version = "gemm" },
  quantized    = { method = "awq", bits = 4 },
  layers       = { "*.self_attn.*", "*.fc1", "*.fc2", class = "AwqTorchLinear" },
  dtypes       = { "*.self_attn.*", "*.fc1", "*.fc2", logical = "int4" },
}

model "opt-125m awq k_proj dense" {
  checkpoint   = hub "hf-internal-testing/opt-125m-awq-no-k-proj",
  architecture = opt_125m {
    quant_method = "awq", bits = 4, group_size = 128, version = "gemm",
    modules_to_not_convert = { "k_proj" },
  },
  quantized    = { method = "awq", bits = 4 },
  layers       = { "*.v_proj", class = "AwqTorchLinear" },
  dtypes       = { "*.v_proj", logical = "int4" },
  excluded     = { "*.k_proj", "lm_head" },
}
