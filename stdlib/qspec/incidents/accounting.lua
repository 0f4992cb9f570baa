-- Incidents of the class 'accounting', in few words: what happened in public trackers.

return {
  name = "accounting",
  summary = "sizes are counted wrongly",
  incidents = {
    { id = "hub-docs#2704", by = "logical parameter count from header+config",
      what = "Hub shows packed element count: 89B for a 314B MoE",
      needs = "a number that another program shows, not a fault of the files" },
    { id = "huggingface.js#1770", by = "same",
      what = "GPTQ/AWQ counted as ~2B instead of ~8B",
      needs = "a number that another program shows, not a fault of the files" },
    { id = "omlx#3489", by = "same",
      what = "U32 counted as 4 bytes per logical weight: 8x too big",
      needs = "a number that another program shows, not a fault of the files" },
    { id = "llmfit#1045", by = "same",
      what = "packed counts discounted a second time: 3-6x understated memory, rated Perfect",
      needs = "a number that another program shows, not a fault of the files" },
  },
}
