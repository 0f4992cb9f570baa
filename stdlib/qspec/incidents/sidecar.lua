-- Incidents of the class 'sidecar', in few words: what happened in public trackers.

return {
  name = "sidecar",
  summary = "small files beside the weights are lost",
  incidents = {
    { id = "GPTQModel#1291", by = "sidecar diff",
      what = "generation_config.json not saved",
      operator = "sidecar", variant = "generation_config.json lost" },
    { id = "Model-Optimizer#2060", by = "sidecar diff",
      what = "export whitelist drops files of the source repo",
      operator = "sidecar", variant = "tokenizer.json lost",
      instead = "the tokenizer" },
    { id = "llm-compressor#2153", by = "sidecar + tokenizer diff",
      what = "Qwen3-VL saved when loaded locally",
      operator = "sidecar", variant = "another pre-tokenizer" },
  },
}
