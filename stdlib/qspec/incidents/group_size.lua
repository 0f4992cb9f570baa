-- Incidents of the class 'group-size', in few words: what happened in public trackers.

return {
  name = "group_size",
  summary = "the group size is not that of the tensors",
  incidents = {
    { id = "mlx#1033", by = "header lint",
      what = "SigLIP 4304 not divisible by group 64",
      operator = "config_field", variant = "quantization_config.group_size",
      on = "qwen2-tiny-gptq4act" },
    { id = "llm-compressor#1983", by = "header-only pre-flight",
      what = "W4A16 quantizes everything for 15 min, then save fails naming no layer when",
      operator = "config_field", variant = "quantization_config.group_size",
      on = "qwen2-tiny-gptq4act" },
    { id = "MTPLX#182", by = "header arithmetic",
      what = "group size inferred with 32//5=6: 60 instead of 64",
      operator = "config_field", variant = "quantization_config.group_size",
      on = "qwen2-tiny-gptq4act" },
    { id = "mlx-lm#935", by = "config lint per format",
      what = "convert defaults to group 64 for mxfp4 that needs 32",
      operator = "config_field", variant = "quantization_config.group_size",
      on = "qwen2-tiny-gptq4act" },
  },
}
