-- Source: transformers 5.17, models/llama/tokenization_llama.py.

local components = require "qspec.tokenizer.components"

local function prepend_scheme(o, adds)
  if not adds then return "never" end
  return o.flag("legacy", false) and "always" or "first"
end

return {
  name = "LlamaTokenizer",
  summary = "SentencePiece's BPE with byte fallback and a space in front",
  model_types = { "idefics", "idefics2" },
  tokens = { unk_token = "<unk>", bos_token = "<s>", eos_token = "</s>" },
  file = "tokenizer.model",
  build = function(o)
    local adds = o.flag("add_prefix_space", true)
    return { pre_tokenizer = components.metaspace(prepend_scheme(o, adds), false),
      decoder = components.sentencepiece_decoder(adds),
      model = components.bpe { fuse_unk = true, byte_fallback = true } }
  end,
}
