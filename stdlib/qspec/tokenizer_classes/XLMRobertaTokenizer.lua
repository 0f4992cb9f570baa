-- Source: transformers 5.17, models/xlm_roberta/tokenization_xlm_roberta.py;
-- convert_slow_tokenizer.py (XLMRobertaConverter).

local components = require "qspec.tokenizer.components"

local word = components.word

return {
  name = "XLMRobertaTokenizer",
  summary = "SentencePiece's Unigram with fairseq's first four ids",
  model_types = { "jina_embeddings_v3", "xlm-roberta", "xmod" },
  tokens = { bos_token = "<s>", eos_token = "</s>", sep_token = "</s>", cls_token = "<s>",
    unk_token = "<unk>", pad_token = "<pad>", mask_token = "<mask>" },
  file = "sentencepiece.bpe.model",
  pieces = function(list, o)
    local moved = { { o.token("bos_token"), 0 }, { o.token("pad_token"), 0 },
      { o.token("eos_token"), 0 }, { o.token("unk_token"), 0 } }
    for i = 4, #list do moved[#moved + 1] = list[i] end
    moved[#moved + 1] = { o.token("mask_token"), 0 }
    return moved
  end,
  build = function(o)
    local scheme = o.flag("add_prefix_space", true) and "always" or "never"
    return { normalizer = components.precompiled(o.charsmap),
      pre_tokenizer = components.pre_tokenizers { { type = "WhitespaceSplit" },
        components.metaspace(scheme, true) },
      decoder = components.metaspace(scheme, true),
      model = { type = "Unigram", unk_id = 3, byte_fallback = false } }
  end,
  post_processor = function(o)
    local bos, eos = word(o.token("bos_token")), word(o.token("eos_token"))
    return components.template({ bos, word "$A", eos },
      { bos, word "$A", eos, eos, word "$B", eos }, o.id)
  end,
}
