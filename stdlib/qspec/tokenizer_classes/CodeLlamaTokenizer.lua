-- Source: transformers 5.17, models/code_llama/tokenization_code_llama.py.

local components = require "qspec.tokenizer.components"

local function marked(word) return components.SPACE .. word end

return {
  name = "CodeLlamaTokenizer",
  summary = "LLaMA's, with tokens for filling in; bos is always added",
  model_types = { "code_llama" },
  tokens = { unk_token = "<unk>", bos_token = "<s>", eos_token = "</s>" },
  named_tokens = { { "prefix_token", marked "<PRE>" }, { "middle_token", marked "<MID>" },
    { "suffix_token", marked "<SUF>" }, { "eot_token", marked "<EOT>" },
    { "fill_token", "<FILL_ME>" } },
  additional = function(list, o)
    for _, name in ipairs { "prefix", "middle", "suffix", "eot", "fill" } do
      list[#list + 1] = o.token(name .. "_token")
    end
    return list
  end,
  adds_bos = true,
  file = "tokenizer.model",
  build = function(o)
    local scheme = o.flag("add_prefix_space", true) and "first" or "never"
    return { pre_tokenizer = components.metaspace(scheme, false),
      decoder = components.sentencepiece_decoder(true),
      model = components.bpe { fuse_unk = true, byte_fallback = true,
        unk_token = o.token("unk_token") } }
  end,
}
