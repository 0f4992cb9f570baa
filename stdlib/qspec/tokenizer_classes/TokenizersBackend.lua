-- The file as it is: what transformers falls back to when no class builds a tokenizer.

return {
  name = "TokenizersBackend",
  summary = "tokenizer.json as it is, or a SentencePiece model without a class",
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
