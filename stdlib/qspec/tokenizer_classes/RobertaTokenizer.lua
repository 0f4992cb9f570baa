-- Source: transformers 5.17, models/roberta/tokenization_roberta.py.

local components = require "qspec.tokenizer.components"
local json = require "host.json"

return {
  name = "RobertaTokenizer",
  summary = "GPT-2's BPE between <s> and </s>",
  aliases = { "BartTokenizer", "LongformerTokenizer", "LEDTokenizer" },
  model_types = { "bart", "roberta", "roberta-prelayernorm", "longformer" },
  tokens = { bos_token = "<s>", eos_token = "</s>", sep_token = "</s>", cls_token = "<s>",
    unk_token = "<unk>", pad_token = "<pad>", mask_token = "<mask>" },
  build = function(o)
    return { pre_tokenizer = components.byte_level(o.flag("add_prefix_space", false), true),
      decoder = components.byte_level(true, true), model = components.byte_level_bpe() }
  end,
  post_processor = function(o)
    local function pair(name) return json.array { o.token(name), o.id(o.token(name)) } end
    return { type = "RobertaProcessing", sep = pair "sep_token", cls = pair "cls_token",
      trim_offsets = o.flag("trim_offsets", true),
      add_prefix_space = o.flag("add_prefix_space", false) }
  end,
}
