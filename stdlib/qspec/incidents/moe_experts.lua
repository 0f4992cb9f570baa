-- Incidents of the class 'moe-experts', in few words: what happened in public trackers.

return {
  name = "moe_experts",
  summary = "experts of a mixture stay dense",
  incidents = {
    { id = "bitsandbytes#1849", by = "footprint",
      what = "transformers v5 keeps all experts in one fused 3-D nn.Parameter",
      operator = "unquant", variant = "float16", dose = "layer",
      instead = "linear layers" },
    { id = "Model-Optimizer#2011", by = "footprint",
      what = "mtq.quantize skips Qwen3.5-MoE fused experts: ~50 GB of experts stay bf16",
      operator = "unquant", variant = "float16", dose = "layer",
      instead = "linear layers" },
    { id = "Model-Optimizer#1187", by = "xver diff of header summary",
      what = "transformers 5 fused experts break the per-expert quantize+export pipeline",
      operator = "unquant", variant = "float16", dose = "layer",
      instead = "linear layers" },
    { id = "unsloth#5344", by = "footprint",
      what = "'4-bit' load resident at ~46 GB",
      operator = "unquant", variant = "float16", dose = "layer",
      instead = "linear layers" },
  },
}
