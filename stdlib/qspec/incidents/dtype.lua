-- Incidents of the class 'dtype', in few words: what happened in public trackers.

return {
  name = "dtype",
  summary = "tensors have another dtype",
  incidents = {
    { id = "bitsandbytes#682", by = "dtype of unquantized tensors",
      what = "compute dtype bf16 asked, model.dtype says fp16",
      operator = "value_cast", variant = "norms to bfloat16", dose = "all" },
    { id = "neural-compressor#1342", by = "roundtrip",
      what = "smoothquant reload: scale created as int64, float scale cannot load",
      operator = "value_cast", variant = "scales to int64", dose = "module" },
    { id = "bitsandbytes#1160", by = "permod",
      what = "blocksize 4096 kernel instantiated with the wrong data type",
      operator = "code_map", variant = "sign bit", dose = "module" },
    { id = "bitsandbytes#1540", by = "permod",
      what = "CPU blockwise 8-bit on fp16 returns zeros",
      operator = "set_scale", variant = "0", dose = "block" },
    { id = "bitsandbytes#1566", by = "permod",
      what = "4-bit dequant tested the default 'fp4' first, so it was always fp4",
      operator = "code_map", variant = "other table", dose = "module" },
  },
}
