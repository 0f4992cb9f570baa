-- Source: transformers 5.17, models/codegen/tokenization_codegen.py.

local components = require "qspec.tokenizer.components"

return {
  name = "CodeGenTokenizer",
  summary = "GPT-2's with a post-processor of its own where the file has none",
  model_types = {},
  tokens = { bos_token = "<|endoftext|>", eos_token = "<|endoftext|>",
    unk_token = "<|endoftext|>" },
  build = function(o)
    return { pre_tokenizer = components.byte_level(o.flag("add_prefix_space", false), true),
      decoder = components.byte_level(true, true), model = components.byte_level_bpe(),
      post_processor = components.byte_level(true, true, false) }
  end,
}
