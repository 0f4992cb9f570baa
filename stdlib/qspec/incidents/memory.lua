-- Incidents of the class 'memory', in few words: what happened in public trackers.

return {
  name = "memory",
  summary = "more memory than the format needs",
  incidents = {
    { id = "llm-compressor#162", by = "footprint on disk",
      what = "0.94 GB model becomes 1.85 GB after SmoothQuant+GPTQ W8A8",
      operator = "value_cast", variant = "embeddings to float32", dose = "all" },
    { id = "bitsandbytes#1141", by = "peak footprint by dtype",
      what = "4-bit model has a higher peak than fp16",
      operator = "value_cast", variant = "embeddings to float32", dose = "all" },
    { id = "transformers#42043", by = "peak footprint",
      what = "bnb port to the v5 loader: open item 'memory way too high when quantizing on",
      operator = "unquant_all", variant = "config kept" },
    { id = "sglang#8864", by = "footprint",
      what = "gpt-oss MXFP4 runs out of memory with the Triton MoE path",
      operator = "unquant_all", variant = "config kept" },
    { id = "unsloth-zoo#192", by = "config",
      what = "VRAM planner receives load_in_4bit=False, plans for 16-bit",
      needs = "a memory planner was told another width than the model has" },
  },
}
