-- Incidents of the class 'tied', in few words: what happened in public trackers.

return {
  name = "tied",
  summary = "tied weights are stored apart, or not at all",
  incidents = {
    { id = "vllm#45543", by = "xver load",
      what = "tied ModelOpt models: NotImplementedError in tie_weights after a refactor",
      operator = "tie", variant = "flag false and no head" },
    { id = "llm-compressor#2798", by = "tie flag vs keys",
      what = "duplicate lm_head saved for tied models",
      operator = "tie", variant = "an equal head stored twice" },
    { id = "transformers#37905", by = "tie flag vs keys",
      what = "quantizing the tied input embedding must break the tie in the right order",
      operator = "tie", variant = "only the embedding packed" },
    { id = "sglang#2935", by = "tie flag vs keys",
      what = "tied Llama-3.2 quant stores both copies: KeyError lm_head.weight",
      operator = "tie", variant = "an equal head stored twice" },
    { id = "vllm#45535", by = "keyset",
      what = "quantized input embedding: models do not pass quant_config/prefix",
      operator = "quant_excluded", variant = "transformer.word_embeddings" },
    { id = "onnxruntime-genai#1089", by = "keyset",
      what = "tied weights stored under lm_head only",
      operator = "rename", variant = "embedding as head",
      on = "qwen2-tiny-gptq4act" },
  },
}
