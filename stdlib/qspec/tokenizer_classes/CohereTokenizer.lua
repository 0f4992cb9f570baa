-- Source: transformers 5.17, models/cohere/tokenization_cohere.py.

local components = require "qspec.tokenizer.components"

return {
  name = "CohereTokenizer",
  summary = "BPE over bytes of composed characters, digits one by one",
  model_types = { "aya_vision", "cohere", "cohere2" },
  tokens = { unk_token = "<UNK>", bos_token = "<BOS_TOKEN>", eos_token = "<|END_OF_TURN_TOKEN|>",
    pad_token = "<PAD>", cls_token = "<CLS>", sep_token = "<SEP>", mask_token = "<MASK_TOKEN>" },
  adds_special_tokens = "special",
  build = function(o)
    local add_prefix_space = o.flag("add_prefix_space", false)
    return { normalizer = { type = "NFC" }, decoder = components.byte_level(true, true),
      model = components.byte_level_bpe(),
      pre_tokenizer = components.pre_tokenizers { { type = "Digits", individual_digits = true },
        components.byte_level(add_prefix_space, true) } }
  end,
}
