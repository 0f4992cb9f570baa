-- Source: transformers 5.17, models/bert/tokenization_bert.py.

local components = require "qspec.tokenizer.components"
local json = require "host.json"

local word = components.word

return {
  name = "BertTokenizer",
  summary = "word pieces between [CLS] and [SEP]",
  aliases = { "MobileBertTokenizer", "SqueezeBertTokenizer", "LayoutLMTokenizer",
    "ElectraTokenizer" },
  model_types = { "bert", "convbert", "distilbert", "electra", "ernie", "layoutlm", "megatron-bert",
    "nomic_bert", "squeezebert" },
  tokens = { unk_token = "[UNK]", sep_token = "[SEP]", pad_token = "[PAD]", cls_token = "[CLS]",
    mask_token = "[MASK]" },
  file = "vocab.txt",
  build = function(o)
    local strips = o.value("strip_accents")
    return { normalizer = { type = "BertNormalizer", clean_text = true,
        handle_chinese_chars = o.flag("tokenize_chinese_chars", true),
        strip_accents = strips == nil and json.null or strips,
        lowercase = o.flag("do_lower_case", true) },
      pre_tokenizer = { type = "BertPreTokenizer" },
      decoder = { type = "WordPiece", prefix = "##", cleanup = true },
      model = { type = "WordPiece", unk_token = o.token("unk_token"),
        continuing_subword_prefix = "##", max_input_chars_per_word = 100 } }
  end,
  post_processor = function(o)
    local cls, sep = o.token("cls_token"), o.token("sep_token")
    return components.template({ word(cls), word "$A", word(sep) },
      { word(cls), word "$A", word(sep), word("$B", 1), word(sep, 1) }, o.id)
  end,
}
