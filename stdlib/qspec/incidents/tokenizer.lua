-- Incidents of the class 'tokenizer', in few words: what happened in public trackers.

return {
  name = "tokenizer",
  summary = "text becomes other tokens",
  incidents = {
    { id = "llama.cpp#7476", by = "tokenizer diff",
      what = "old GGUF tokenizes wrongly with no warning",
      operator = "sidecar", variant = "another pre-tokenizer" },
    { id = "llama.cpp#7724", by = "tokenizer diff",
      what = "Llama-3 GGUF gets smaug-bpe as pre-tokenizer",
      operator = "sidecar", variant = "another pre-tokenizer" },
  },
}
