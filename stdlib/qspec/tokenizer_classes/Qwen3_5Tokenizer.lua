-- Source: transformers 5.17, models/qwen3_5/tokenization_qwen3_5.py.

local components = require "qspec.tokenizer.components"

local PATTERN = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}"
  .. "| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

return {
  name = "Qwen3_5Tokenizer",
  summary = "as Qwen2's, with marks kept in words",
  model_types = { "qwen3_5", "qwen3_5_moe", "qwen3_5_text" },
  tokens = { eos_token = "<|endoftext|>", unk_token = "<|endoftext|>",
    pad_token = "<|endoftext|>" },
  build = function(o)
    return { normalizer = { type = "NFC" }, decoder = components.byte_level(true, true),
      model = components.byte_level_bpe(),
      pre_tokenizer = components.pre_tokenizers { components.split(PATTERN),
        components.byte_level(o.flag("add_prefix_space", false), false) } }
  end,
}
