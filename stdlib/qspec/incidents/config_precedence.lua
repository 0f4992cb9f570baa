-- Incidents of the class 'config-precedence', in few words: what happened in public trackers.

return {
  name = "config_precedence",
  summary = "two configs say different things",
  incidents = {
    { id = "mlx-lm#1865", by = "config format vs header dtype",
      what = "any unknown compressed-tensors format is read as 4-bit affine",
      operator = "config_field", variant = "quantization_config.format",
      on = "qwen2-tiny-ct-fp8_dynamic" },
    { id = "mlx-lm#989", by = "config vs header",
      what = "compressed-tensors handler hard-codes group 32/bits 4",
      operator = "config_field", variant = "quantization_config.group_size",
      on = "qwen2-tiny-gptq4act" },
    { id = "mlx-vlm#1703", by = "config-vs-header per layer",
      what = "per-layer mixed quantization not honoured",
      operator = "config_field", variant = "quantization_config.bits",
      on = "qwen2-tiny-gptq4act", instead = "the width of all layers" },
    { id = "vllm#9381", by = "strict config parse",
      what = "config parse errors swallowed",
      operator = "config_field", variant = "quantization_config.bits",
      on = "qwen2-tiny-gptq4act" },
    { id = "vllm#19050", by = "config lint",
      what = "config says fp8, argument says gguf",
      operator = "config_field", variant = "quantization_config.quant_method" },
  },
}
