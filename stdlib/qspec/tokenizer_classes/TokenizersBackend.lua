-- The file as it is: what transformers falls back to when no class builds a tokenizer.

return {
  name = "TokenizersBackend",
  summary = "tokenizer.json as it is, or a SentencePiece model without a class",
  details = [[
The class of a tokenizer is that of tokenizer_config.json, unless transformers knows better for
the model_type. Classes that are listed here build the normalizer, pre-tokenizer and decoder
themselves and take no more than vocabulary, merges and post-processor from tokenizer.json; with
any other name, the file is taken as it is. Tokens that tokenizer_config.json,
special_tokens_map.json and added_tokens.json name are added. Without a tokenizer.json: vocab.json
and merges.txt, vocab.txt, or a SentencePiece model, as the class has it. tekken.json and tiktoken
files are not read. Decoded texts are cleaned up (" ." to ".") only when the config says so, and
never those of a BPE.]],
  aliases = { "PreTrainedTokenizerFast", "PreTrainedTokenizer", "BloomTokenizer" },
  model_types = { "arctic", "chameleon", "deepseek_v2", "deepseek_v3", "deepseek_v32",
    "deepseek_v4", "ernie4_5", "ernie4_5_moe", "flex_olmo", "glm", "glm4", "glm4_moe",
    "glm4_moe_lite", "gpt_bigcode", "granite", "granitemoe", "granitemoehybrid",
    "granitemoeshared", "internlm2", "jamba", "kimi_linear", "mimo_v2_flash", "minicpm3",
    "minimax_m2", "ministral", "ministral3", "mistral", "mistral3", "mixtral", "modernbert",
    "nemotron", "olmo2", "olmo3", "olmo_hybrid", "persimmon", "phi3", "phimoe", "stablelm",
    "umt5", "xlm-roberta-xl" },
  tokens = {},
  file = "tokenizer.model",
}
