-- Source: transformers 5.17, models/gemma/tokenization_gemma.py.

local components = require "qspec.tokenizer.components"

return {
  name = "GemmaTokenizer",
  summary = "SentencePiece's BPE with byte fallback and no space in front",
  model_types = { "gemma", "gemma2", "gemma3", "gemma3_text", "gemma3n", "gemma3n_text",
    "recurrent_gemma", "shieldgemma2", "t5gemma", "zaya" },
  tokens = { unk_token = "<unk>", bos_token = "<bos>", eos_token = "<eos>", pad_token = "<pad>",
    mask_token = "<mask>" },
  file = "tokenizer.model",
  build = function(o)
    return { normalizer = components.replace(" ", components.SPACE),
      pre_tokenizer = { type = "Split", pattern = { String = " " },
        behavior = "MergedWithPrevious", invert = false },
      decoder = components.sentencepiece_decoder(false),
      model = components.bpe { fuse_unk = true, byte_fallback = true,
        unk_token = o.token("unk_token") } }
  end,
}
