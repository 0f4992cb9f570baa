-- Source: transformers 5.17, models/t5/tokenization_t5.py; convert_slow_tokenizer.py (T5Converter).

local components = require "qspec.tokenizer.components"

local word = components.word

return {
  name = "T5Tokenizer",
  summary = "SentencePiece's Unigram, with a hundred tokens for gaps behind the pieces",
  model_types = { "mt5", "musicgen", "switch_transformers", "t5" },
  tokens = { unk_token = "<unk>", eos_token = "</s>", pad_token = "<pad>" },
  file = "spiece.model",
  pieces = function(list, o)
    for i = o.count("extra_ids", 100) - 1, 0, -1 do
      list[#list + 1] = { ("<extra_id_%d>"):format(i), 0 }
    end
    return list
  end,
  additional = function(list, o)
    for _, token in ipairs(list) do
      if o.content(token):find("<extra_id_", 1, true) then return list end
    end
    for i = 0, o.count("extra_ids", 100) - 1 do list[#list + 1] = ("<extra_id_%d>"):format(i) end
    return list
  end,
  build = function(o)
    return { normalizer = components.precompiled(o.charsmap),
      pre_tokenizer = components.pre_tokenizers { { type = "WhitespaceSplit" },
        components.metaspace("always", true) },
      decoder = components.metaspace("always", true),
      model = { type = "Unigram", unk_id = 2, byte_fallback = false } }
  end,
  post_processor = function(o)
    local function id_of() return o.id(o.token("eos_token")) end
    return components.template({ word "$A", word "</s>" },
      { word "$A", word "</s>", word "$B", word "</s>" }, id_of)
  end,
}
