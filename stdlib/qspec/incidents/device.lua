-- Incidents of the class 'device', in few words: what happened in public trackers.

return {
  name = "device",
  summary = "where modules lie changes what they are",
  incidents = {
    { id = "accelerate#1699", by = "devmap",
      what = "modules placed on cpu/disk were not quantized and stayed full precision",
      operator = "unquant", variant = "float16", dose = "layer",
      instead = "a layer for the offloaded blocks" },
    { id = "transformers#22018", by = "devmap",
      what = "8-bit + fp32 offload + device_map=auto refuses although the flag is set",
      needs = "a device map, not the files" },
    { id = "diffusers#10653", by = "devmap",
      what = "8-bit module refuses to move to CPU, stays on cuda:0",
      needs = "a device map, not the files" },
  },
}
