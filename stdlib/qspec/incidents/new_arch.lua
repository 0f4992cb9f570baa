-- Incidents of the class 'new-arch', in few words: what happened in public trackers.

return {
  name = "new_arch",
  summary = "an architecture that a library does not know yet",
  incidents = {
    { id = "llama.cpp#11991", by = "header pre-flight",
      what = "weight_scale_inv cannot be mapped",
      operator = "quant_excluded", variant = "lm_head",
      instead = "the output head" },
    { id = "transformers#36254", by = "load+gen smoke",
      what = "HQQ T5: HQQLinear has no .weight",
      needs = "another version of a library reads the same files" },
    { id = "llm-compressor#2514", by = "mapping lint",
      what = "default AWQ mapping matches all input_layernorms of a new MoE",
      operator = "half_smooth", variant = "x 2", dose = "block" },
    { id = "exllamav2#537", by = "gen",
      what = "Phi-3 128k July update: gibberish",
      needs = "another version of a library reads the same files" },
    { id = "exllamav2#749", by = "ppl gate",
      what = "Gemma3: calibration ppl 3456 printed, job carries on",
      operator = "tensor_loss", variant = "packed module" },
  },
}
