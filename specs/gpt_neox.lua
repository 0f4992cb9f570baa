-- GPT-NeoX and Pythia.
--
--   qspec run specs/gpt_neox.lua                          the models below that are on this machine
--   qspec run specs/gpt_neox.lua --model PATH --baseline PATH

family "gpt_neox"

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
-- The ratio is what transformers 5.17 gives for the configuration.

model "pythia-70m nf4" {
  checkpoint   = hub "EleutherAI/pythia-70m",
  architecture = {
    model_type = "gpt_neox", dtype = "float16", hidden_size = 512, intermediate_size = 2048,
    num_hidden_layers = 6, num_attention_heads = 8, vocab_size = 50304, rotary_pct = 0.25,
    tie_word_embeddings = false,
  },
  quantize     = bitsandbytes { bits = 4, type = "nf4" },
  layers       = { "*.attention.*", "*.mlp.*", class = "Linear4bit", dtype = "uint8" },
  excluded     = { "lm_head", "*.embed_in", "*norm" },
  memory       = { ratio = 1.2515648591242932, tolerance = 1e-9 },
}
