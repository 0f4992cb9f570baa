-- Source: transformers 5.17, models/qwen2/tokenization_qwen2.py.

local components = require "qspec.tokenizer.components"

local PATTERN = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"
  .. "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

return {
  name = "Qwen2Tokenizer",
  summary = "BPE over bytes of composed characters, digits one by one",
  model_types = { "qwen2", "qwen2_5_omni", "qwen2_5_vl", "qwen2_audio", "qwen2_moe", "qwen2_vl",
    "qwen3", "qwen3_asr", "qwen3_moe", "qwen3_next", "qwen3_omni_moe", "qwen3_vl",
    "qwen3_vl_moe" },
  overrides = { "qwen2" },
  tokens = { eos_token = "<|endoftext|>", unk_token = "<|endoftext|>",
    pad_token = "<|endoftext|>" },
  adds_special_tokens = "plain",
  build = function(o)
    return { normalizer = { type = "NFC" }, decoder = components.byte_level(true, true),
      model = components.byte_level_bpe(),
      pre_tokenizer = components.pre_tokenizers { components.split(PATTERN),
        components.byte_level(o.flag("add_prefix_space", false), false) } }
  end,
}
