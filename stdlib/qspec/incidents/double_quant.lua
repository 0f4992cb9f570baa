-- Incidents of the class 'double-quant', in few words: what happened in public trackers.

return {
  name = "double_quant",
  summary = "quantized twice",
  incidents = {
    { id = "bitsandbytes#831", by = "config vs modtype",
      what = "8-bit checkpoint reloaded with a 4-bit config",
      operator = "config_field", variant = "quantization_config.load_in_8bit" },
    { id = "transformers#27500", by = "config before/after",
      what = "a model already quantized by one method could be quantized again by another",
      operator = "requant", dose = "module" },
    { id = "unsloth#1599", by = "header dtype pre-flight",
      what = "quantizer is handed uint8: 'only supports 16/32-bit floats'",
      operator = "requant", dose = "module" },
  },
}
