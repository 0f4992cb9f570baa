-- Source: transformers 5.17, models/gpt2/tokenization_gpt2.py.

local components = require "qspec.tokenizer.components"

return {
  name = "GPT2Tokenizer",
  summary = "BPE over bytes, split by GPT-2's regular expression",
  model_types = { "codegen", "dbrx", "gpt2", "gpt_neo", "gptj", "jais2", "opt", "phi",
    "starcoder2" },
  tokens = { bos_token = "<|endoftext|>", eos_token = "<|endoftext|>",
    unk_token = "<|endoftext|>" },
  build = function(o)
    return { pre_tokenizer = components.byte_level(o.flag("add_prefix_space", false), true),
      decoder = components.byte_level(true, true), model = components.byte_level_bpe() }
  end,
}
