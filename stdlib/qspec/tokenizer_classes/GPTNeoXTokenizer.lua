-- Source: transformers 5.17, models/gpt_neox/tokenization_gpt_neox.py.

local components = require "qspec.tokenizer.components"

return {
  name = "GPTNeoXTokenizer",
  summary = "BPE over bytes of composed characters; the file's post-processor is dropped",
  model_types = { "falcon_mamba", "gpt_neox", "mamba", "mamba2", "mpt", "olmo", "olmoe", "rwkv",
    "xlstm" },
  tokens = { bos_token = "<|endoftext|>", eos_token = "<|endoftext|>",
    unk_token = "<|endoftext|>", pad_token = "<|padding|>" },
  rebuilds_post_processor = true,
  build = function(o)
    return { normalizer = { type = "NFC" }, decoder = components.byte_level(true, true),
      model = components.byte_level_bpe(),
      pre_tokenizer = components.byte_level(o.flag("add_prefix_space", false), true,
        o.flag("trim_offsets", true)) }
  end,
}
