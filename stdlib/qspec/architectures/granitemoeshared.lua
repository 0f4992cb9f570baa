-- Granite MoE with an MLP beside the experts that every token takes.

local granitemoe_like = require "qspec.decoder.granitemoe_like"
local llama_like = require "qspec.decoder.llama_like"

return llama_like.architecture("GraniteMoeShared", {
  name = "granitemoeshared",
  summary = "Granite MoE with a shared MLP",
  model_types = { "granitemoeshared" },
  renames = granitemoe_like.renames,
  config = granitemoe_like.config { shared_intermediate_size = 0 },
  decoder = function(c)
    return granitemoe_like.decoder(c, "GraniteMoeShared")
  end,
})
